package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	agent "github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// generationParam is the agent's parameter whose change has every node reload.
const generationParam = "generation"

// reloadTime is how long a reload waits unless told otherwise: longer than the agent may take for it.
const reloadTime = 2 * time.Minute

func reloadCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "reload",
		Usage:     "have HAProxy on every node load its configuration anew",
		ArgsUsage: "[RESOURCE]",
		Description: "Checks the configuration of this node, then changes one parameter of the resource, so that Pacemaker has every\n" +
			"node's agent reload HAProxy: no connection is lost, nothing restarts. Then waits, and prints for each node the\n" +
			"hash of the configuration that it served and serves now, how old its worker is, and which workers of before\n" +
			"still have connections. RESOURCE is needed where the cluster has more than one HAProxy. Unchanged files are\n" +
			"loaded too, for the certificates that they name.\n\n" +
			"Only the configuration that was checked here is taken: a node whose files are broken, missing or different goes\n" +
			"on with what it served, and takes them over as soon as they are right; hawser exits with 8. With --differing\n" +
			"each node takes the files that it has.\n\n" +
			"Nodes that are offline, in standby or leaving, and those where HAProxy does not run, are named and waited for no\n" +
			"longer: they load their files when HAProxy starts there. Where Pacemaker does not manage HAProxy (maintenance),\n" +
			"it goes on with what it served until it is managed again; hawser exits with 8.\n\n" +
			"With --push FILE the configuration itself is brought to every node through the cluster, for HAProxy to check there; if\n" +
			"no node refuses it, each keeps its former file as FILE.hawser-previous, puts the new one in place and loads it.\n" +
			"--rollback pushes this node's FILE.hawser-previous.\n\n" +
			"If Pacemaker would restart HAProxy on a node instead, the reload is refused and nothing changed. --force accepts\n" +
			"that: new connections wait then, but open ones are cut.",
		Flags: append(pushFlags(),
			&cli.BoolFlag{Name: "differing", Usage: "let each node take the files that it has, though they differ"},
			&cli.BoolFlag{Name: "force", Usage: "reload even if Pacemaker would restart HAProxy on a node"},
			yesFlag(), jsonFlag(),
			&cli.DurationFlag{Name: "timeout", Value: reloadTime, Usage: "wait at most `TIME` for the nodes, such as 90s (2m)"}),
		Action: func(c *cli.Context) error {
			switch {
			case c.NArg() > 1:
				return usagef("%s takes one resource, not also %q: see `%s --help`", c.Command.HelpName, c.Args().Get(1), c.Command.HelpName)
			case c.Duration("timeout") <= 0:
				return usagef("--timeout %v: want a time longer than nothing, such as 90s", c.Duration("timeout"))
			}
			if pushing(c) {
				return sys.pushOrRollback(c)
			}
			if c.Bool("with-credentials") {
				return usagef("--with-credentials belongs to --push and --rollback")
			}
			return sys.reload(c.Context, c.Args().First(), reloadOptions{
				yes: c.Bool("yes"), json: c.Bool("json"), force: c.Bool("force"), differing: c.Bool("differing"), timeout: c.Duration("timeout"),
			})
		},
	}
}

type reloadOptions struct {
	yes, json, force, differing bool
	timeout                     time.Duration
}

func (s *system) reload(ctx context.Context, resource string, o reloadOptions) error {
	switch {
	case !s.running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: nothing is reloaded there")
	case !o.yes && !s.terminal:
		return usagef("reload asks before it reloads, and there is no terminal to ask on: use --yes")
	}
	cib, status, err := s.configurationAndStatus(ctx)
	if err != nil {
		return err
	}
	p, err := haproxyPrimitive(cib, resource)
	if err != nil {
		return err
	}
	r := newReload(status, p.Name)
	if !slices.ContainsFunc(r.report.Nodes, func(n nodeReload) bool { return n.State == reloadAsked }) {
		return exitf(exitResource, "%s runs on no node where Pacemaker would reload it; nothing was changed%s", p.Name, r.unasked())
	}
	hash, err := s.checkForReload(ctx, p)
	if err != nil {
		return err
	}
	r.report.Configuration = hash
	demand := hash
	if o.differing {
		demand = ""
	}
	r.generation = agent.Generation(s.now(), rand.Uint32(), demand) //nolint:gosec // it only has to be another one each time
	replan := func(cib *crm.CIB) (crm.Plan, error) { return generationPlan(cib, p.Name, r.generation) }
	plan, err := replan(cib)
	if err != nil {
		return err
	}
	if plan, err = s.foreseeReload(ctx, plan, replan, p.Name, o.force); err != nil {
		return err
	}
	if !o.json {
		s.printf("%s loads %s anew: %s.\n", p.Name, confFileOf(p), strings.Join(r.asked(), ", "))
		if hash != "" && !o.differing {
			s.printf("The configuration to be served is %s, as on this node.\n", hash)
		}
		for _, n := range r.report.Nodes {
			if n.State != reloadAsked {
				s.printf("Not on %s: %s\n", n.Node, n.Reason)
			}
		}
	}
	if !o.yes && !s.ask(ctx, "\nReload?") {
		return exitf(exitFailed, "not reloaded: nothing was changed")
	}
	r.began = s.now()
	if err := s.write(ctx, plan, replan); err != nil {
		return err
	}
	err = s.awaitReload(ctx, r, o.timeout)
	if verdict := r.verdict(); err == nil {
		err = verdict
	} else if verdict != nil {
		code, _ := exitCode(err)
		err = exitf(code, "%w\n%w", err, verdict)
	}
	s.addLocal(ctx, r)
	if o.json {
		return errors.Join(s.printJSON(r.report), err)
	}
	s.showReload(r)
	return err
}

// haproxyPrimitive finds the HAProxy of that name, of the clone or group of that name, or the only one that there is.
func haproxyPrimitive(cib *crm.CIB, name string) (*crm.Primitive, error) {
	var all []*crm.Primitive
	inside := map[string]string{}
	for _, o := range cib.Effective() {
		switch o := o.(type) {
		case *crm.Primitive:
			if o.Class == "ocf" && o.Type == "haproxy" {
				all = append(all, o)
			}
		case *crm.Clone:
			inside[o.Resource] = o.Name
		}
	}
	var names []string
	for _, p := range all {
		if name != "" && (p.Name == name || inside[p.Name] == name) {
			return p, nil
		}
		names = append(names, p.Name)
	}
	known := "it has " + strings.Join(names, ", ")
	if len(all) == 0 {
		known = "it has none"
	}
	if _, there := cib.Object(name); name != "" && there {
		return nil, usagef("%s is no HAProxy of the cluster's configuration; %s", name, known)
	}
	switch {
	case name != "":
		return nil, usagef("there is no HAProxy %s in the cluster's configuration; %s", name, known)
	case len(all) == 0:
		return nil, usagef("the cluster's configuration has no HAProxy: `hawser apply` sets one up")
	case len(all) > 1:
		return nil, usagef("reload which HAProxy? The cluster has %s", strings.Join(names, ", "))
	}
	return all[0], nil
}

// confFileOf is where the resource has its configuration.
func confFileOf(p *crm.Primitive) string {
	if file, ok := p.Params.Get("conffile"); ok && file != "" {
		return file
	}
	return defaultHAProxyConfig
}

// checkForReload has this node's HAProxy check the configuration as the agent would run it, and returns its hash: "" where the cluster is another
// machine's.
func (s *system) checkForReload(ctx context.Context, p *crm.Primitive) (string, error) {
	if s.remote {
		s.warn("the cluster is another machine's: its nodes check the configuration, and take what each of them has")
		return "", nil
	}
	get := func(name string) string { v, _ := p.Params.Get(name); return v }
	extra, err := ocf.SplitWords(get("extraconf"))
	if err != nil {
		return "", usagef("extraconf of %s %w; nothing was changed", p.Name, err)
	}
	files := agent.ConfigFiles(confFileOf(p), extra)
	before, err := haproxy.ReadSources(files)
	if err != nil {
		return "", usagef("%w%s; nothing was changed", err, rootHint())
	}
	err = s.checkHAProxy(ctx, &config.HAProxy{
		Config: confFileOf(p), Binary: get("binpath"), Extra: get("extraconf"), AnchorIP: get("anchor_ip"), PrivateIP: get("private_ip"),
		Env: agent.Environment(s.runDir, p.Name),
	})
	if err != nil {
		return "", usagef("%w; nothing was changed", err)
	}
	after, err := haproxy.ReadSources(files)
	if err != nil || agent.ConfigHash(after) != agent.ConfigHash(before) {
		return "", usagef("%s was edited while it was checked; nothing was changed: run the command again", confFileOf(p))
	}
	return agent.ConfigHash(before), nil
}

// generationPlan changes the parameter, and nothing else.
func generationPlan(cib *crm.CIB, id, generation string) (crm.Plan, error) {
	o, ok := cib.Object(id)
	p, isPrimitive := o.(*crm.Primitive)
	if !ok || !isPrimitive {
		return crm.Plan{}, exitf(exitConflict, "%s was removed from the configuration", id)
	}
	changed, leftovers := withoutPush(cib, p) // of a push that was killed
	changed.Params.Set(generationParam, generation)
	spec, err := crm.Edit(cib, []crm.Object{changed}, leftovers)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

// foreseeReload has Pacemaker's scheduler play the change through: it may restart the resource instead of reloading it. Where that is because of
// a probe that found it running, the record of that probe is removed, and the scheduler asked again.
func (s *system) foreseeReload(ctx context.Context, plan crm.Plan, replan func(*crm.CIB) (crm.Plan, error), id string, force bool) (crm.Plan, error) {
	nodes, err := s.restarts(ctx, plan, id)
	if err != nil || len(nodes) == 0 {
		return plan, err
	}
	if status, ok := s.cluster.(interface {
		ForgetProbe(ctx context.Context, resource, node string) error
	}); ok {
		for _, node := range nodes {
			if err := status.ForgetProbe(ctx, id, node); err != nil {
				return plan, err
			}
		}
		cib, err := s.cluster.Query(ctx)
		if err != nil {
			return plan, err
		}
		if plan, err = replan(cib); err != nil {
			return plan, err
		}
		if nodes, err = s.restarts(ctx, plan, id); err != nil || len(nodes) == 0 {
			return plan, err
		}
	}
	what := fmt.Sprintf("Pacemaker would restart %s on %s instead of reloading it, which cuts the connections that are open", id, strings.Join(nodes, ", "))
	if !force {
		return plan, exitf(exitFailed, "%s; nothing was changed: accept that with --force, or restart one node after the other (standby, and online again)", what)
	}
	s.warn("%s", what)
	return plan, nil
}

// restarts are the nodes on which Pacemaker would restart the resource if the plan were written.
func (s *system) restarts(ctx context.Context, plan crm.Plan, id string) ([]string, error) {
	forecast, err := s.cluster.Check(ctx, plan)
	if err != nil && !errors.Is(err, crm.ErrNoFencing) {
		return nil, err
	}
	var nodes []string
	for _, a := range forecast.Actions {
		if instanceOf(a.Resource) == id && (a.Task == "restart" || a.Task == "recover") {
			nodes = append(nodes, a.Node)
		}
	}
	slices.Sort(nodes)
	return nodes, nil
}
