package edits

// Kind is one sort of edit.
type Kind struct {
	Name string
	// apply makes the edit; false if there is nothing in the tree to make it of.
	apply func(e *editor) bool
}

// kinds are all sorts of edits that can make a rebuild tool wrong.
var kinds = []Kind{
	{"body constant", bodyConstant},
	{"body logic", bodyLogic},
	{"body inlinable", bodyInlinable},
	{"body closure", bodyClosure},
	{"comment", comment},
	{"line above", lineAbove},
	{"broken", broken},
	{"type error", typeError},
	{"func unexported", funcUnexported},
	{"func exported", funcExported},
	{"signature", signature},
	{"method added", methodAdded},
	{"method removed", methodRemoved},
	{"struct field", structField},
	{"generic body", genericBody},
	{"generic constraint", genericConstraint},
	{"init added", initAdded},
	{"variable initialiser", variableInitialiser},
	{"iota block", iotaBlock},
	{"type alias", typeAlias},
	{"import known", importKnown},
	{"import unknown std", importStd},
	{"import unknown module", importModule},
	{"import removed", importRemoved},
	{"import renamed", importRenamed},
	{"import dot", importDot},
	{"import blank", importBlank},
	{"file new", fileNew},
	{"file deleted", fileDeleted},
	{"file renamed", fileRenamed},
	{"constraint added", constraintAdded},
	{"constraint changed", constraintChanged},
	{"constraint removed", constraintRemoved},
	{"suffix renamed", suffixRenamed},
	{"embed pattern", embedPattern},
	{"embed edited", embedEdited},
	{"embed added", embedAdded},
	{"embed removed", embedRemoved},
	{"linkname", linkname},
	{"generate text", generateText},
	{"noinline", noinline},
	{"line directive", lineDirective},
	{"debug directive", debugDirective},
	{"assembly", assembly},
	{"header", header},
	{"cgo preamble", cgoPreamble},
	{"C file", cFile},
	{"go.mod require", modRequire},
	{"go.mod replace", modReplace},
	{"go.mod go line", modGoLine},
	{"go.sum", modSum},
	{"go.work", goWork},
	{"vendor", vendor},
	{"default.pgo", defaultPGO},
	{"directory renamed", directoryRenamed},
	{"directory moved", directoryMoved},
	{"package renamed", packageRenamed},
	{"branch", branch},
	{"save in a build", saveInBuild},
	{"slow save", slowSave},
	{"touch", touch},
	{"mtime back", mtimeBack},
	{"same size and time", sameSizeTime},
}

// Kinds returns the names of all kinds.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

func byName(name string) (Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
