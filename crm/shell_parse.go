package crm

import "fmt"

// Script is a piece of crmsh's configuration language: objects to set and ids to delete.
type Script struct {
	Objects []Object
	Delete  []string
}

// SyntaxError says where a piece of crmsh's language stops making sense, and what was expected there.
type SyntaxError struct {
	File string // "" if the text came from the command line
	Line int    // counted from 1; 0 if the text came from the command line
	Word string // the offending word, "" at the end of a statement
	Want string // what was expected
}

// Error is file:line: what came, what was expected.
func (e *SyntaxError) Error() string {
	where := ""
	switch {
	case e.File != "":
		where = fmt.Sprintf("%s:%d: ", e.File, e.Line)
	case e.Line != 0:
		where = fmt.Sprintf("line %d: ", e.Line)
	}
	if e.Word == "" {
		return fmt.Sprintf("%sthe statement ends where %s was expected", where, e.Want)
	}
	return fmt.Sprintf("%s%q: expected %s", where, e.Word, e.Want)
}

// ParseShell reads statements of `crm configure`: one a line, a backslash at the end of a line continues it, # begins a comment. file
// is named in errors.
func ParseShell(file string, text []byte) (Script, error) { panic("not yet") }

// ParseWords reads one statement whose words the shell has separated already.
func ParseWords(words []string) (Script, error) { panic("not yet") }
