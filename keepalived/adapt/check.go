package adapt

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/param"
)

// check is one of haproxy.checks.
type check struct {
	param.Check
	why []string
}

// found is what a script turned out to be.
type found struct {
	check   *check // nil where none is needed, or none can be made
	haproxy bool   // it sees whether HAProxy runs, which is watched anyway
	remark  string
	left    string // why there is no check
}

// readChecks makes the checks of all scripts and processes that somebody tracks.
func (a *adapter) readChecks() {
	for _, n := range a.nodes {
		for _, v := range n.Config.Scripts {
			if !a.needed(n.Config, v) {
				continue
			}
			f := readScript(v, n.Config)
			a.scriptBecomes(n.Config, v, f)
		}
		for _, p := range n.Config.Processes {
			a.processBecomes(n.Config, p)
		}
	}
}

// needed reports whether an instance is well while the script is.
func (*adapter) needed(c *model.Config, v *model.Script) bool {
	for _, i := range c.Instances {
		if slices.ContainsFunc(i.Scripts, func(t *model.Track) bool { return t.Script == v && !t.Reverse }) {
			return true
		}
	}
	return false
}

// scriptBecomes says what became of a script, and takes the check in if there is one.
func (a *adapter) scriptBecomes(c *model.Config, v *model.Script, f found) {
	at := cmp.Or(v.Line, v.At)
	switch {
	case f.left != "":
		a.say(c, at, LeftOut, "%s", f.left)
	case f.haproxy:
		a.watched["script "+v.Name] = true
		a.say(c, at, Converted, "HAProxy is watched on every node anyway: no check is needed")
	default:
		a.take(c, v, "script "+v.Name, f.check)
	}
	if f.remark != "" {
		a.say(c, at, Remark, "%s", f.remark)
	}
	if f.check == nil {
		return
	}
	for _, s := range v.At.Body {
		if s.Passed == "" && s.Words[0] != "script" && s.Words[0] != "weight" {
			a.say(c, s, Converted, "")
		}
	}
	if v.InitFail {
		a.say(c, v.At, Converted, "init_fail: a check of hawser is unknown until it was done")
	}
}

// take adds a check, or finds that another node has it too.
func (a *adapter) take(c *model.Config, v *model.Script, key string, made *check) {
	a.timing(c, v, made)
	made.Name = checkName(v.Name)
	before := a.of[key]
	if before == nil && len(a.checks) == param.MostChecks {
		a.say(c, cmp.Or(v.Line, v.At), LeftOut, "there are more checks than the %d that hawser takes",
			param.MostChecks)
		return
	}
	if before == nil {
		for n := 2; slices.ContainsFunc(a.checks, func(x *check) bool { return x.Name == made.Name }); n++ {
			made.Name = fmt.Sprintf("%s-%d", checkName(v.Name), n)
		}
		a.of[key] = made
		a.checks = append(a.checks, made)
		a.say(c, cmp.Or(v.Line, v.At), Converted, "the check %s: %s", made.Name, made.what())
		return
	}
	same := made.Check
	same.Name = before.Name
	if param.FormatChecks([]param.Check{same}) == param.FormatChecks([]param.Check{before.Check}) {
		a.say(c, cmp.Or(v.Line, v.At), Converted, "the check %s: %s", before.Name, before.what())
		return
	}
	a.say(c, cmp.Or(v.Line, v.At), Remark, "it is not the same on every node, and a check of "+
		"hawser is: "+
		"that of the first node counts: %s, every "+
		"%s", before.what(), param.FormatDuration(before.Every))
}

// timing takes over how often a script runs, within what hawser takes.
func (a *adapter) timing(c *model.Config, v *model.Script, made *check) {
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	made.Every = min(seconds(v.Interval), param.LongestEvery)
	if own := made.Timeout; own == 0 || own > seconds(v.Timeout) {
		made.Timeout = seconds(v.Timeout)
	}
	made.Timeout = min(made.Timeout, param.LongestCheckTimeout)
	made.Rise, made.Fall = min(v.Rise, param.MostInARow), min(v.Fall, param.MostInARow)
	for _, s := range v.At.Body {
		switch word := s.Words[0]; {
		case word == "interval" && made.Every < seconds(v.Interval),
			word == "timeout" && seconds(v.Timeout) > param.LongestCheckTimeout,
			word == "rise" && made.Rise < v.Rise, word == "fall" && made.Fall < v.Fall:
			a.say(c, s, Remark, "more than a check of hawser takes: it is less there")
		}
	}
}

func checkName(name string) string {
	ok := func(r rune) rune {
		if r < 0x80 && (r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' ||
			r >= 'A' && r <= 'Z') {
			return r
		}
		return '-'
	}
	name = strings.Map(ok, name)
	return cmp.Or(strings.Trim(name[:min(len(name), 50)], "-"), "check")
}

// what says what a check does.
func (c *check) what() string {
	switch {
	case c.URL != "":
		return "a request of " + c.URL
	case c.TCP != "":
		return "a connection to " + c.TCP
	}
	return c.Exec[0]
}

// processBecomes makes a check of a process that is tracked.
func (a *adapter) processBecomes(c *model.Config, p *model.Process) {
	name := path.Base(p.Path)
	switch {
	case name == "haproxy":
		a.watched["process "+p.Name] = true
		a.say(c, p.At, Converted, "HAProxy is watched on every node anyway: no check is needed")
		return
	case p.Quorum > 1 || p.Full || len(p.Params) > 0:
		a.say(c, p.At, LeftOut, "it counts processes or looks at their arguments: a program for "+
			"haproxy.checks[].exec can do so")
		return
	}
	v := &model.Script{Name: p.Name, At: p.At, Interval: 2, Timeout: 2, Rise: 1, Fall: 1}
	made := newCheck()
	made.Exec, made.User = []string{"/usr/bin/pgrep", "-x", name[:min(len(name), 15)]}, "nobody"
	made.why = append(made.why, "keepalived was told by the kernel at once; this asks every 2s")
	a.take(c, v, "process "+p.Name, made)
	a.say(c, p.At, Remark, "keepalived was told by the kernel; the check %s asks every "+
		"2s", checkName(p.Name))
}

func newCheck() *check { return &check{Check: param.NewCheck()} }

// checkOf is the check that something tracked has become, "" if none; watched says that it sees
// whether HAProxy runs.
func (a *adapter) checkOf(t *model.Track) (name string, watched bool) {
	key := "script " + t.Name
	if t.Process != nil {
		key = "process " + t.Name
	}
	if c := a.of[key]; c != nil {
		name = c.Name
	}
	return name, a.watched[key]
}
