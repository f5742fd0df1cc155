package main

import (
	"bytes"
	"cmp"
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

// aPush is a configuration on its way.
type aPush struct {
	resource    string // the primitive
	conffile    string // on every node
	text        []byte
	packed, sum string
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
	err = s.checkHAProxy(ctx, &haproxyConfig{config: temporary.Name(), binary: binary, extra: get("extraconf"), anchorIP: get("anchor_ip"), privateIP: get("private_ip")})
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

// carryPush has every node check the configuration, and if none refuses, take it.
func (s *system) carryPush(ctx context.Context, p aPush, timeout time.Duration) (answers []pushNodeReport, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := s.startTicker()
	defer t.close()
	defer func() {
		t.set("removing the configuration from the cluster's")
		err = errors.Join(err, s.unpush(ctx, p))
	}()

	t.set("having every node check the configuration")
	if err := s.order(ctx, p, agent.PushCheck+p.sum); err != nil {
		return nil, err
	}
	answers, err = s.answers(ctx, p, agent.PushCheck+p.sum)
	if err != nil {
		return answers, err
	}
	if bad := notOK(answers); bad != "" {
		return answers, exitf(exitDegraded, "%s; no node has taken it and no file was changed", bad)
	}
	t.set("having every node take the configuration")
	if err := s.order(ctx, p, agent.PushTake+p.sum); err != nil {
		return answers, err
	}
	answers, err = s.answers(ctx, p, agent.PushTake+p.sum)
	for i := range answers {
		answers[i].Serves = answers[i].Answer == "ok"
	}
	if err != nil {
		return answers, err
	}
	if bad := notOK(answers); bad != "" {
		return answers, exitf(exitDegraded, "%s; the other nodes have taken it: mend that node and push again, or `hawser reload --rollback`", bad)
	}
	return answers, nil
}

// notOK names the nodes that refused or did not answer. One that has left is no obstacle: it serves nobody.
func notOK(answers []pushNodeReport) string {
	var bad []string
	for _, a := range answers {
		switch a.Answer {
		case "refused":
			bad = append(bad, a.Node+": "+a.Reason)
		case "none":
			bad = append(bad, a.Node+" did not answer in time")
		}
	}
	return strings.Join(bad, "\n")
}

// order writes an order, and the configuration with it.
func (s *system) order(ctx context.Context, p aPush, order string) error {
	return s.writePush(ctx, p, func(now string) (string, bool, error) {
		if strings.HasPrefix(order, agent.PushTake) && now != agent.PushCheck+p.sum {
			return "", false, exitf(exitConflict, "somebody else pushed another configuration meanwhile (%q): no node has taken this one", now)
		}
		return order, true, nil
	})
}

// unpushTime bounds the removal, which is done for somebody who has given up too.
const unpushTime = 20 * time.Second

// unpush removes what order wrote, unless somebody else has pushed meanwhile.
func (s *system) unpush(ctx context.Context, p aPush) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unpushTime)
	defer cancel()
	err := s.writePush(ctx, p, func(now string) (string, bool, error) {
		if now != "" && !strings.HasSuffix(now, p.sum) {
			return now, true, nil
		}
		return "", false, nil
	})
	if err != nil {
		return fmt.Errorf("the configuration could not be removed from the cluster's again (the next hawser reload does it): %w", err)
	}
	return nil
}

// writePush writes the order that decide returns for the one that is there, with or without the configuration.
func (s *system) writePush(ctx context.Context, p aPush, decide func(now string) (order string, with bool, err error)) error {
	replan := func(cib *crm.CIB) (crm.Plan, error) { return pushPlan(cib, p, decide) }
	cib, err := s.cluster.Query(ctx)
	if err != nil {
		return err
	}
	plan, err := replan(cib)
	if err != nil || plan.Empty() {
		return err
	}
	return s.write(ctx, plan, replan)
}

func pushPlan(cib *crm.CIB, p aPush, decide func(now string) (string, bool, error)) (crm.Plan, error) {
	there, ok := cib.Object(p.resource)
	primitive, isPrimitive := there.(*crm.Primitive)
	if !ok || !isPrimitive {
		return crm.Plan{}, exitf(exitConflict, "%s was removed from the configuration meanwhile", p.resource)
	}
	now, _ := primitive.Params.Get(pushParam)
	order, with, err := decide(now)
	if err != nil || order == now && with {
		return crm.Plan{}, err
	}
	clean, deletes := withoutPush(cib, primitive)
	puts := []crm.Object{clean}
	if order != "" {
		clean.Params.Set(pushParam, order)
		puts = append(puts, &crm.Property{Set: agent.PushSet(p.resource), Name: agent.PushedConfig, Value: p.packed})
		deletes = nil
	}
	spec, err := crm.Edit(cib, puts, deletes)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

// withoutPush are the edits that leave nothing of a push behind.
func withoutPush(cib *crm.CIB, p *crm.Primitive) (clean *crm.Primitive, deletes []string) {
	edited := *p
	edited.Params = slices.DeleteFunc(slices.Clone(p.Params), func(a crm.Attr) bool { return a.Name == pushParam })
	for _, o := range cib.Objects() {
		if property, ok := o.(*crm.Property); ok && property.Set == agent.PushSet(p.Name) {
			deletes = append(deletes, property.ID())
		}
	}
	return &edited, deletes
}

// answersEvery is how often the nodes' answers are looked for.
const answersEvery = 150 * time.Millisecond

// answers waits until every node that runs the resource has answered the order.
func (s *system) answers(ctx context.Context, p aPush, order string) ([]pushNodeReport, error) {
	asked := map[string]bool{}
	for {
		status, err := s.cluster.Status(ctx)
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		var all []pushNodeReport
		if err == nil {
			var waiting bool
			if all, waiting = answersIn(status, p.resource, order, asked); !waiting {
				return all, nil
			}
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return all, exitf(exitInterrupted, "interrupted before every node had answered: `hawser status` shows what each of them serves")
			}
			return all, exitf(exitTimeout, "not every node has answered in time: %s; `hawser status` shows what each of them serves",
				cmp.Or(strings.ReplaceAll(notOK(all), "\n", "; "), "Pacemaker did not tell of any answer"))
		case <-time.After(answersEvery):
		}
	}
}

// answersIn reads the nodes' answers. asked remembers the nodes that have been seen with the resource.
func answersIn(status *crm.Status, resource, order string, asked map[string]bool) (all []pushNodeReport, waiting bool) {
	running := map[string]bool{}
	for _, r := range status.Resources {
		if instanceOf(r.ID) == resource && r.Active && r.Node != "" {
			running[r.Node], asked[r.Node] = true, true
		}
	}
	for _, n := range status.Nodes {
		switch said, ok := strings.CutPrefix(n.Attributes[agent.PushAttribute(resource)], order+" "); {
		case !asked[n.Name]:
		case !running[n.Name] && (!n.Online || n.Standby || n.Shutdown):
			all = append(all, pushNodeReport{Node: n.Name, Answer: "left", Reason: "it stopped meanwhile"})
		case !ok:
			waiting = true
			all = append(all, pushNodeReport{Node: n.Name, Answer: "none"})
		case said == agent.PushDone:
			all = append(all, pushNodeReport{Node: n.Name, Answer: "ok"})
		default:
			all = append(all, pushNodeReport{Node: n.Name, Answer: "refused", Reason: strings.TrimPrefix(said, agent.PushRefused)})
		}
	}
	if len(running) == 0 {
		waiting = true
	}
	slices.SortFunc(all, func(a, b pushNodeReport) int { return strings.Compare(a.Node, b.Node) })
	return all, waiting
}

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
