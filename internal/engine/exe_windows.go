package engine

// exeSuffixes are what a program's name may end in.
var exeSuffixes = []string{".exe", ".bat", ".cmd"}
