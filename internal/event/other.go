package event

// Notice is a line that belongs to no save.
type Notice struct {
	Text string `json:"-"`
}

// Name is notice.
func (Notice) Name() string { return "notice" }

// Line is the text.
func (e Notice) Line() Line { return Line{Text: e.Text, Colour: Yellow} }

// Output is what the go command or the program said.
type Output struct {
	Text string `json:"-"`

	// Program says that it was the program: nothing of it is changed.
	Program bool `json:"program,omitempty"`
}

// Name is output.
func (Output) Name() string { return "output" }

// Line is the text.
func (e Output) Line() Line { return Line{Text: e.Text, Raw: e.Program, Block: !e.Program, Bare: true} }

// Progress of a cold build: packages done of all; all is 0 while unknown.
type Progress struct {
	Done int `json:"done"`
	All  int `json:"all"`
}

// Name is progress.
func (Progress) Name() string { return "progress" }

// Line is empty: a terminal has a bar.
func (Progress) Line() Line { return Line{} }
