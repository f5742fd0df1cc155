package fence

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/param"
)

// Param is a parameter: a line on standard input, and a flag.
type Param struct {
	// Name is the name on standard input; the long flag is the same with dashes.
	Name string
	// Old is an older name that is still taken on standard input; the metadata calls it deprecated.
	Old string
	// Letter is the short flag, 0 for none.
	Letter rune
	// Holds is the placeholder for the value in the help, such as "seconds"; empty for a boolean.
	Holds string
	// Text says what it is.
	Text string
	// Required is whether every action except metadata and help needs it.
	Required bool
	// Hide keeps a refused value out of the error: it may be a secret in the wrong place.
	Hide bool
	// Value is the variable with its type and default.
	Value param.Value
}

// flag returns the long flag.
func (p Param) flag() string { return strings.ReplaceAll(p.Name, "_", "-") }

// mixed returns the flags as the metadata and the help show them.
func (p Param) mixed() string {
	s := "--" + p.flag()
	if p.Letter != 0 {
		s = "-" + string(p.Letter) + ", " + s
	}
	if p.Holds != "" {
		s += "=[" + p.Holds + "]"
	}
	return s
}

// set sets the value; its error names the parameter.
func (p Param) set(text string) error {
	if p.Value.Type() == "boolean" && text == "" {
		text = "true" // "verbose" alone on its line, or -v
	}
	if err := p.Value.Set(text); err != nil {
		if p.Hide || param.HidesRefused(p.Value) {
			return fmt.Errorf("parameter %s %w", p.Name, err)
		}
		return fmt.Errorf("parameter %s=%q %w", p.Name, text, err)
	}
	return nil
}
