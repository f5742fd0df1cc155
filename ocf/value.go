package ocf

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Value is a parameter's Go side.
type Value interface {
	// Set takes the text of OCF_RESKEY_<name>. Its error completes the sentence "parameter x=y ...".
	Set(text string) error
	// String is the default, as the meta-data shows it.
	String() string
	// Type is the OCF content type: string, integer or boolean.
	Type() string
}

// value is a Value made of functions; every constructor below returns one.
type value struct {
	typ  string
	def  string
	set  func(string) error
	hide bool // a text that is refused is not shown
}

func (v *value) Set(text string) error { return v.set(text) }
func (v *value) String() string        { return v.def }
func (v *value) Type() string          { return v.typ }

// String binds any text.
func String(p *string, def string) Value {
	*p = def
	return &value{typ: "string", def: def, set: func(s string) error { *p = s; return nil }}
}

// Path binds an absolute path, which it cleans. An empty default means "none"; an empty text is refused.
func Path(p *string, def string) Value {
	*p = def
	return &value{typ: "string", def: def, set: func(s string) error {
		if !filepath.IsAbs(s) {
			return errors.New("is not an absolute path: write it from / on")
		}
		*p = filepath.Clean(s)
		return nil
	}}
}

// SecretPath is Path for a file that holds a secret: what is refused is not shown, since it may be the secret itself.
func SecretPath(p *string, def string) Value {
	v := Path(p, def).(*value)
	v.hide = true
	return v
}

// Words binds a list of words, separated by white space. Single and double quotes and a backslash keep white space as a shell
// would; nothing is expanded, and no shell ever sees the words.
func Words(p *[]string, def string) Value {
	*p, _ = SplitWords(def)
	return &value{typ: "string", def: def, set: func(s string) error {
		words, err := SplitWords(s)
		if err != nil {
			return err
		}
		*p = words
		return nil
	}}
}

// Int binds a whole number from min to max.
func Int(p *int, def, min, max int) Value {
	*p = def
	return &value{typ: "integer", def: strconv.Itoa(def), set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < min || n > max {
			return fmt.Errorf("is not a whole number from %d to %d", min, max)
		}
		*p = n
		return nil
	}}
}

// Bool binds a boolean in the words that Pacemaker takes: true, on, yes, y, 1 and false, off, no, n, 0, in any case.
func Bool(p *bool, def bool) Value {
	*p = def
	return &value{typ: "boolean", def: strconv.FormatBool(def), set: func(s string) error {
		switch strings.ToLower(s) {
		case "true", "on", "yes", "y", "1":
			*p = true
		case "false", "off", "no", "n", "0":
			*p = false
		default:
			return errors.New("is not a boolean: use true or false")
		}
		return nil
	}}
}

// Duration binds a length of time as ParseDuration reads it.
func Duration(p *time.Duration, def time.Duration) Value {
	*p = def
	return &value{typ: "string", def: FormatDuration(def), set: func(s string) error {
		d, err := ParseDuration(s)
		if err != nil {
			return err
		}
		*p = d
		return nil
	}}
}

// Addr binds an IPv4 or IPv6 address without prefix length or zone.
func Addr(p *netip.Addr) Value {
	return &value{typ: "string", def: "", set: func(s string) error {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return errors.New("is not an IPv4 or IPv6 address")
		}
		if a.Zone() != "" {
			return errors.New("has a zone: give the address alone, and the interface in its own parameter")
		}
		*p = a.Unmap()
		return nil
	}}
}

// Enum binds one of the choices.
func Enum(p *string, def string, choices ...string) Value {
	*p = def
	return &value{typ: "string", def: def, set: func(s string) error {
		if !slices.Contains(choices, s) {
			return fmt.Errorf("is not one of %s", strings.Join(choices, ", "))
		}
		*p = s
		return nil
	}}
}

// Origin binds the origin of an HTTP service, scheme://host or scheme://host:port with nothing after it. An empty default means
// "none".
func Origin(p *string, def string) Value {
	*p = def
	return &value{typ: "string", def: def, set: func(s string) error {
		u, err := url.Parse(s)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return errors.New("is not an origin: write http://host:port or https://host")
		case u.User != nil:
			return errors.New("holds a user or a password: give the origin alone")
		case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("goes on after the host: write %s://%s, the path is added", u.Scheme, u.Host)
		}
		*p = u.Scheme + "://" + u.Host
		return nil
	}}
}

// secret is a Value whose text Main keeps out of logs and reasons.
type secret struct{ p *string }

// Secret binds a text that must never be shown. The value in the CIB may be kept in Pacemaker's secrets (cibsecret), which
// Pacemaker puts in place before it calls the agent; the placeholder itself is refused as a fault of this node.
func Secret(p *string) Value { return &secret{p} }

// lrmPlaceholder stands in the CIB for a value that `cibsecret stash` moved to a file on each node.
const lrmPlaceholder = "lrm://"

func (s *secret) Set(text string) error {
	if text == lrmPlaceholder {
		return Errorf(ErrInstalled, "is kept in Pacemaker's secrets, but this node has no copy of it: run `cibsecret sync` on a node that has")
	}
	*s.p = text
	return nil
}
func (s *secret) String() string { return "" }
func (s *secret) Type() string   { return "string" }
