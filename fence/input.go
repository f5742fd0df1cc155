package fence

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// option is a name and its text, as they were given.
type option struct{ name, text string }

// inputLimit is far more than any cluster sends, in bytes, and inputTime how long it may take to
// send it.
const (
	inputLimit = 1 << 18
	inputTime  = 10 * time.Second
)

// readInput reads all of standard input, which the cluster closes when it has written it.
func readInput(r io.Reader) ([]byte, error) {
	type read struct {
		text []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(r, inputLimit+1))
		done <- read{text, err}
	}()
	select {
	case got := <-done:
		switch {
		case got.err != nil:
			return nil, fmt.Errorf("cannot read the options from standard input: %w", got.err)
		case len(got.text) > inputLimit:
			return nil, fmt.Errorf("standard input holds more than %d bytes: these are not options",
				inputLimit)
		}
		return got.text, nil
	case <-time.After(inputTime):
		return nil, fmt.Errorf("standard input was not closed within %s: give options as flags "+
			"(--help), or as lines name=value", inputTime)
	}
}

// parseInput reads the lines name=value. White space before a name and comments are skipped; the
// value is everything up to the end of the line.
func parseInput(text []byte) []option {
	var all []option
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, inputLimit+1)
	for lines.Scan() {
		line := strings.TrimLeft(lines.Text(), " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		name, text, _ := strings.Cut(line, "=")
		all = append(all, option{strings.TrimRight(name, " \t"), text})
	}
	return all
}

// silent lists names that clusters send with every call and that mean nothing to an agent
// (FenceAgentAPI.md; fence_node of cman).
var silent = []string{"nodeid", "agent", "name", "domain"}

// take sets the parameters from the options. The last one of a name counts. Unknown ones are
// ignored with a warning, which does not show their values.
func take(params []Param, given []option, c *Call) error {
	find := func(name string) int {
		return slices.IndexFunc(params, func(p Param) bool {
			return p.Name == name || p.Old != "" && p.Old == name
		})
	}
	last := map[string]string{}
	var order []string
	for _, o := range given {
		if _, seen := last[o.name]; !seen {
			order = append(order, o.name)
		}
		last[o.name] = o.text
	}
	for name, text := range last {
		if i := find(name); text == "" && i >= 0 && params[i].Value.Type() != "boolean" {
			delete(last, name) // a cluster cannot tell an empty value from none
		}
	}
	faults := []error{onePlug(last)}
	for _, name := range order {
		i := find(name)
		if i < 0 {
			if !slices.Contains(silent, name) {
				c.Warnf("unknown option %.40q ignored", name)
			}
			continue
		}
		text, still := last[name]
		if _, both := last[params[i].Name]; !still || both && name != params[i].Name {
			continue // the newer name wins
		}
		faults = append(faults, params[i].set(text))
	}
	return errors.Join(faults...)
}

// onePlug decides which machine is meant if both port and plug are given. Pacemaker adds the target
// under one of them if the device does not set it: port up to Pacemaker 3.0.0, plug since 3.0.1
// (stonith__default_host_arg()). So if the two differ, the one that equals the node's name is
// Pacemaker's, and the other is the device's own. If neither does, it is not known which machine is
// meant.
func onePlug(last map[string]string) error {
	plug, port := last["plug"], last["port"]
	switch node := last["nodename"]; {
	case plug == "" || port == "" || plug == port:
	case port == node:
		delete(last, "port")
	case plug == node:
		delete(last, "plug")
	default:
		return fmt.Errorf("plug is %.80q and port, its older name, is %.80q: it is not known "+
			"which machine is meant; take port out of the device's "+
			"options", plug, port)
	}
	return nil
}

// anyAction reports whether the options name an action.
func anyAction(given []option) bool {
	return slices.ContainsFunc(given, func(o option) bool {
		return (o.name == "action" || o.name == "option") && o.text != ""
	})
}

// parseFlags reads the options of a command line.
func parseFlags(params []Param, args []string) ([]option, error) {
	var given []option
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, p := range params {
		names := []string{p.flag()}
		if p.Letter != 0 {
			names = append(names, string(p.Letter))
		}
		for _, name := range names {
			take := func(text string) error {
				given = append(given, option{p.Name, text})
				return nil
			}
			if p.Value.Type() == "boolean" {
				set.BoolFunc(name, "", take)
			} else {
				set.Func(name, "", take)
			}
		}
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return []option{{"help", "1"}}, nil
		}
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("%d arguments that belong to no option, from %.40q on", set.NArg(),
			set.Arg(0))
	}
	return given, nil
}
