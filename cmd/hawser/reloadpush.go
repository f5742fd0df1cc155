package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	agent "github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
)

// A push brings one configuration to every node: it is put into the CIB together with the order to check it; when all nodes have
// accepted it follows the order to take it; and at the end, however that comes, both are removed again. The agent's side is
// agents/haproxy/push.go.

// pushParam is the agent's parameter for orders about a pushed configuration.
const pushParam = "push"

type pushOptions struct {
	yes, json, force, withCredentials bool
	timeout                           time.Duration
}

// pushReport is `hawser reload --push --json`.
type pushReport struct {
	Resource      string           `json:"resource"`
	Configuration string           `json:"configuration"` // its SHA-256
	File          string           `json:"file"`          // where it goes
	Taken         bool             `json:"taken"`         // by every node that runs the resource
	Nodes         []pushNodeReport `json:"nodes"`
}

type pushNodeReport struct {
	Node string `json:"node"`
	// Serves is whether it has taken the configuration.
	Serves bool `json:"serves"`
	// Answer is "ok", "refused", "none" (not in time), "left" (it stopped meanwhile) or "not running", and Reason the node's own words.
	Answer string `json:"answer"`
	Reason string `json:"reason,omitempty"`
}

// push brings the configuration to every node that runs the resource.
func (s *system) push(ctx context.Context, p *crm.Primitive, file string, o pushOptions) error {
	text, err := readConfiguration(file)
	if err != nil {
		return err
	}
	return s.pushText(ctx, p, file, text, o)
}

// rollback brings back the configuration of before the last push, as this node has kept it.
func (s *system) rollback(ctx context.Context, p *crm.Primitive, o pushOptions) error {
	path := confFileOf(p)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	path += agent.PreviousSuffix
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return usagef("there is no %s: no configuration was pushed to this node before. Run this on a node that has one, or push a file: `hawser reload --push FILE`", path)
	}
	text, err := readConfiguration(path)
	if err != nil {
		return err
	}
	return s.pushText(ctx, p, path, text, o)
}

// readConfiguration reads a file that may be "-", standard input.
func readConfiguration(file string) ([]byte, error) {
	const longest = 16 << 20
	in := io.Reader(os.Stdin)
	if file != "-" {
		if file == "" {
			return nil, usagef("--push \"\": want the name of a configuration file, or - for standard input")
		}
		opened, err := os.Open(file)
		if err != nil {
			return nil, usagef("the configuration %s cannot be read: %w%s", file, cause(err), rootHint())
		}
		defer func() { _ = opened.Close() }()
		if info, err := opened.Stat(); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
			return nil, usagef("%s is not a file: one configuration file is pushed", file)
		}
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, longest+1))
	switch {
	case err != nil:
		return nil, usagef("the configuration %s cannot be read: %w", file, cause(err))
	case len(text) > longest:
		return nil, usagef("%s is larger than %d MiB: that is no configuration of HAProxy", file, longest>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, usagef("%s is empty: nothing was changed", file)
	}
	return text, nil
}

func (s *system) pushText(ctx context.Context, p *crm.Primitive, file string, text []byte, o pushOptions) error {
	if what := credentials(file, text); what != "" && !o.withCredentials {
		return usagef("%s holds %s. A push puts the configuration into the cluster's configuration, which every member of the group haclient can read, and Pacemaker keeps "+
			"earlier ones on disk: keep credentials in the environment or in a file of their own, or say --with-credentials", file, what)
	}
	push := aPush{resource: p.Name, conffile: confFileOf(p), text: text}
	push.packed, push.sum = agent.PackConfig(text)
	if len(push.packed) > agent.PushLimit {
		return usagef("%s is too large to travel through the cluster's configuration: %d kB packed, of which Pacemaker bears %d. Copy it to the nodes as %s, then `hawser reload`",
			file, len(push.packed)>>10, agent.PushLimit>>10, push.conffile)
	}
	cib, status, err := s.configurationAndStatus(ctx)
	if err != nil {
		return err
	}
	there, absent, err := pushTargets(status, p.Name)
	if err != nil {
		return err
	}
	if err := s.checkPushed(ctx, p, file, text); err != nil {
		return err
	}
	checking := func(cib *crm.CIB) (crm.Plan, error) {
		return pushPlan(cib, push, func(string) (string, bool, error) { return agent.PushCheck + push.sum, true, nil })
	}
	plan, err := checking(cib)
	if err != nil {
		return err
	}
	if _, err := s.foreseeReload(ctx, plan, checking, p.Name, o.force); err != nil {
		return err
	}
	if !o.json {
		s.printf("%s (%.12s) goes to %s as %s.\n", file, push.sum, strings.Join(there, ", "), push.conffile)
		for _, n := range absent {
			s.printf("%s gets nothing: %s\n", n.Node, n.Reason)
		}
	}
	if !o.yes && !s.ask(ctx, "\nPush it?") {
		return exitf(exitFailed, "not pushed: nothing was changed")
	}
	report := pushReport{Resource: p.Name, Configuration: push.sum, File: push.conffile}
	report.Nodes, err = s.carryPush(ctx, push, o.timeout)
	report.Taken = err == nil
	report.Nodes = append(report.Nodes, absent...)
	if o.json {
		return errors.Join(s.printJSON(report), err)
	}
	s.showPush(report)
	return err
}

// checkPushed has this machine's HAProxy check the configuration, where there is one: a mistake is found before anything travels.
func (s *system) checkPushed(ctx context.Context, p *crm.Primitive, file string, text []byte) error {
	get := func(name string) string { v, _ := p.Params.Get(name); return v }
	binary := get("binpath")
	if binary == "" {
		binary = defaultHAProxyBinary
	}
	if _, err := os.Stat(binary); s.remote || err != nil {
		return nil // the nodes check it
	}
	temporary, err := os.CreateTemp("", "hawser-*.cfg")
	if err != nil {
		return fmt.Errorf("the configuration cannot be checked: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("the configuration cannot be checked: %w", err)
	}
	err = s.checkHAProxy(ctx, &config.HAProxy{Config: temporary.Name(), Binary: binary, Extra: get("extraconf"), AnchorIP: get("anchor_ip"), PrivateIP: get("private_ip")})
	if err != nil {
		return usagef("%s; nothing was changed", strings.ReplaceAll(err.Error(), temporary.Name(), file))
	}
	return nil
}

// credentials says what in a configuration should not be read by others: "" if nothing.
func credentials(file string, text []byte) string {
	source := haproxy.Source{File: file, Text: string(text)}
	for _, words := range source.Lines(func(name string) string { return "${" + name + "}" }) {
		for i, word := range words {
			next := ""
			if i+1 < len(words) {
				next = words[i+1]
			}
			switch {
			case strings.HasPrefix(next, "${"):
			case words[0] == "user" && (word == "password" || word == "insecure-password"):
				return "a user's password"
			case i == 1 && words[0] == "stats" && word == "auth":
				return "the password of the statistics page"
			}
		}
	}
	return ""
}

// pushTargets are the nodes on which the resource runs, and those that will miss the push.
func pushTargets(status *crm.Status, resource string) (there []string, absent []pushNodeReport, err error) {
	for _, r := range status.Resources {
		if instanceOf(r.ID) != resource || !r.Active || r.Node == "" {
			continue
		}
		if !r.Managed {
			return nil, nil, exitf(exitResource, "%s is not managed on %s (maintenance mode, or is-managed=false): Pacemaker would reload nothing there; nothing was changed",
				resource, r.Node)
		}
		there = append(there, r.Node)
	}
	slices.Sort(there)
	for _, n := range status.Nodes {
		if !slices.Contains(there, n.Name) {
			reason, leaving := leaves(n)
			if !leaving {
				reason = resource + " does not run there"
			}
			absent = append(absent, pushNodeReport{Node: n.Name, Answer: "not running", Reason: reason + "; HAProxy will start there with the file that is there"})
		}
	}
	if len(there) == 0 {
		return nil, nil, exitf(exitResource, "%s runs nowhere: nothing can be pushed; `hawser status` shows why", resource)
	}
	return there, absent, nil
}

// unpushTime bounds the removal, which is done for somebody who has given up too.
const unpushTime = 20 * time.Second

// answersEvery is how often the nodes' answers are looked for.
const answersEvery = 150 * time.Millisecond

func (s *system) showPush(r pushReport) {
	for _, n := range r.Nodes {
		switch n.Answer {
		case "ok":
			what := "accepts it"
			if n.Serves {
				what = "serves it"
			}
			s.printf("  %-16s %s\n", n.Node, what)
		case "refused":
			s.printf("  %-16s refuses it: %s\n", n.Node, n.Reason)
		case "none":
			s.printf("  %-16s has not answered\n", n.Node)
		default:
			s.printf("  %-16s %s: %s\n", n.Node, n.Answer, n.Reason)
		}
	}
	if r.Taken {
		s.printf("A node that served another one has kept it as %s%s; `hawser reload --rollback %s` brings it back.\n", r.File, agent.PreviousSuffix, r.Resource)
	}
}

// pushFlags are the flags of `hawser reload` that make it push.
func pushFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "push", TakesFile: true, Usage: "bring the configuration `FILE` (- is standard input) to every node first: each checks it before any takes it"},
		&cli.BoolFlag{Name: "rollback", Usage: "push the configuration that was served before the last push, as this node has kept it"},
		&cli.BoolFlag{Name: "with-credentials", Usage: "push a configuration although it holds passwords: the cluster's configuration can be read by the group haclient"},
	}
}

// pushing is whether the command line asks for a push or a rollback.
func pushing(c *cli.Context) bool { return c.IsSet("push") || c.Bool("rollback") }

func (s *system) pushOrRollback(c *cli.Context) error {
	o := pushOptions{
		yes: c.Bool("yes"), json: c.Bool("json"), force: c.Bool("force"), withCredentials: c.Bool("with-credentials"), timeout: c.Duration("timeout"),
	}
	switch {
	case c.IsSet("push") && c.Bool("rollback"):
		return usagef("--push brings a new configuration and --rollback the former one: use one of them")
	case c.Bool("differing"):
		return usagef("--differing lets each node take its own files, and a push brings the same to all: use one of them")
	case !s.running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: nothing can be pushed to it")
	case !o.yes && !s.terminal:
		return usagef("a push asks before it changes files on every node, and there is no terminal to ask on: use --yes")
	}
	cib, err := s.cluster.Query(c.Context)
	if err != nil {
		return err
	}
	p, err := haproxyPrimitive(cib, c.Args().First())
	if err != nil {
		return err
	}
	if c.Bool("rollback") && s.remote {
		return usagef("--rollback pushes what this node has kept, and the cluster is another machine's: run it there")
	}
	if c.Bool("rollback") {
		return s.rollback(c.Context, p, o)
	}
	return s.push(c.Context, p, c.String("push"), o)
}
