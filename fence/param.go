package fence

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Value is a parameter's Go side; the Values of package ocf are such.
type Value interface {
	// Set takes the text. Its error completes the sentence "parameter x=y ...".
	Set(text string) error
	// String is the default, as the metadata shows it.
	String() string
	// Type is the content type: string, integer, boolean or second.
	Type() string
}

// Param is a parameter: a line on standard input, and a flag.
type Param struct {
	// Name is the name on standard input; the long flag is the same with dashes.
	Name string
	// Old is an older name that is still taken on standard input; the metadata calls it deprecated.
	Old string
	// Letter is the short flag, 0 for none.
	Letter rune
	// Holds is what stands for the value in the help, such as "seconds"; empty for a boolean.
	Holds string
	// Text says what it is.
	Text string
	// Required is whether no action but metadata and help works without it.
	Required bool
	// Hide keeps a value that is refused out of the error: it may be a secret in the wrong place.
	Hide  bool
	Value Value
}

// flag is the long flag.
func (p Param) flag() string { return strings.ReplaceAll(p.Name, "_", "-") }

// mixed is the flags as the metadata and the help show them.
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

// set gives the value, and says of which parameter it complains.
func (p Param) set(text string) error {
	if p.Value.Type() == "boolean" && text == "" {
		text = "true" // "verbose" alone on its line, or -v
	}
	if err := p.Value.Set(text); err != nil {
		if p.Hide {
			return fmt.Errorf("parameter %s %w", p.Name, err)
		}
		return fmt.Errorf("parameter %s=%q %w", p.Name, text, err)
	}
	return nil
}

type value struct {
	typ, def string
	set      func(string) error
}

func (v value) Set(text string) error { return v.set(text) }
func (v value) String() string        { return v.def }
func (v value) Type() string          { return v.typ }

// Text binds any text.
func Text(p *string, def string) Value {
	*p = def
	return value{"string", def, func(s string) error { *p = s; return nil }}
}

// Seconds binds a length of time, given as a number of seconds; "40s" is taken too.
func Seconds(p *time.Duration, def time.Duration) Value {
	*p = def
	return value{"second", strconv.FormatFloat(def.Seconds(), 'f', -1, 64), func(s string) error {
		n, err := strconv.ParseFloat(strings.TrimSuffix(s, "s"), 64)
		if err != nil || !(n >= 0 && n <= 86400) { // NaN is not
			return errors.New("is not a number of seconds from 0 to 86400")
		}
		*p = time.Duration(n * float64(time.Second))
		return nil
	}}
}

// Switch binds a boolean that is false until it is set.
func Switch(p *bool) Value {
	*p = false
	return value{"boolean", "", func(s string) error {
		switch strings.ToLower(s) {
		case "1", "yes", "on", "true", "y":
			*p = true
		case "0", "no", "off", "false", "n":
			*p = false
		default:
			return errors.New("is not a boolean: use 1 or 0")
		}
		return nil
	}}
}
