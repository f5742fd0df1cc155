package ocf

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/hawser-ha/hawser/param"
)

// Param is a parameter: OCF_RESKEY_<Name> bound to a Go variable.
type Param struct {
	// Name is the parameter's name, Short a few words about it, Long a text.
	Name, Short, Long string
	// Aliases are older names under which the parameter is still accepted; the meta-data lists them
	// so that tools accept them.
	Aliases []string
	// Required is whether the resource cannot start without it, under its name or an older one.
	Required bool
	// Unique is whether no two resources may have the same value.
	Unique bool
	// Reloadable is whether a change takes effect with Reload, without a restart.
	Reloadable bool
	// Value is the variable with its type and default.
	Value param.Value
}

// bind reads the parameters from the environment. All wrong ones are reported at once. For a stop
// or a probe they are logged, and the defaults are used.
func (a *Agent) bind(c *Call) error {
	var faults []error
	for _, p := range a.Params {
		if err := p.bind(c); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	err := joinFaults(faults)
	if c.lenient() {
		c.Warnf("%s continues with wrong parameters: %v", c.Action, err)
		return nil
	}
	return err
}

// joinFaults returns the faults as one error in one line; its code is ErrConfigured unless a fault
// concerns only this node.
func joinFaults(faults []error) error {
	texts, code := make([]string, len(faults)), ErrConfigured
	for i, fault := range faults {
		texts[i] = fault.Error()
		var coded *Error
		if errors.As(fault, &coded) && len(faults) == 1 {
			code = coded.Code
		}
	}
	return Errorf(code, "%s", strings.Join(texts, "; "))
}

// bind sets the value from the first of its names that is set and not empty: Pacemaker cannot tell
// an empty value from none.
func (p Param) bind(c *Call) error {
	for _, name := range append([]string{p.Name}, p.Aliases...) {
		text := c.getenv("OCF_RESKEY_" + name)
		if text == "" {
			continue
		}
		if param.IsSecret(p.Value) {
			c.Redact(text)
		}
		if err := p.Value.Set(text); err != nil {
			if u, err := url.Parse(text); err == nil && u.User != nil {
				text = u.Redacted()
			}
			shown := fmt.Sprintf("%s=%q", name, text)
			if param.HidesRefused(p.Value) {
				shown = name
			}
			err = fmt.Errorf("parameter %s %w", shown, err)
			if errors.Is(err, param.ErrNoCopy) {
				return Errorf(ErrInstalled, "%w", err)
			}
			return err
		}
		return nil
	}
	if p.Required {
		return fmt.Errorf("parameter %s is not set", p.Name)
	}
	return nil
}
