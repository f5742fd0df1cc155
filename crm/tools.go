package crm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Tools is the cluster of this machine, or the one that CIB_file, CIB_shadow or CIB_server in the
// environment name, through Pacemaker's command line tools. The zero value is ready to use.
type Tools struct {
	// Dir is where the tools are; "" is /usr/sbin.
	Dir string
	// Env is the tools' environment; nil is the process's.
	Env []string
	// Saved is the file in which Pacemaker keeps the configuration that the tools read, "" if it is
	// not on this machine. Only its size is used.
	Saved string
}

var _ Cluster = (*Tools)(nil)

// limit is how long a tool may take if the caller's context sets no limit.
const limit = 60 * time.Second

func withLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// getenv reads the tools' environment.
func (t *Tools) getenv(name string) string {
	found := ""
	for _, e := range t.environ() {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			found = v
		}
	}
	return found
}

// file is the file or shadow that stands in for the cluster, "" if the cluster itself answers.
func (t *Tools) file() string {
	if f := t.getenv("CIB_file"); f != "" {
		return f
	}
	if s := t.getenv("CIB_shadow"); s != "" {
		return "the shadow configuration " + s
	}
	return ""
}

// Query reads configuration and status with one cibadmin.
func (t *Tools) Query(ctx context.Context) (*CIB, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	text, err := t.query(ctx)
	if err != nil {
		return nil, err
	}
	return ParseCIB(text)
}

func (t *Tools) query(ctx context.Context, part ...string) ([]byte, error) {
	out, err := t.run(ctx, nil, "cibadmin", append([]string{"--query"}, part...)...)
	if err != nil {
		return nil, err
	}
	if out.code != 0 {
		return nil, t.toolError("cibadmin", "read the configuration", out)
	}
	return out.stdout, nil
}

// Large is the size of the saved configuration from which on Configuration leaves the status out.
// The status of a cluster is several times as large, and Pacemaker compresses its answers: with
// 1,000 resources on three nodes, 380 kB, asking for everything takes 2.3 times as long as asking
// for the version and then for the configuration, with 100 resources, 39 kB, 1.4 times, with 10
// half as long (Pacemaker 2.1.5).
const Large = 32 << 10

// Configuration reads the configuration, and the status too if that is no more work.
//
// The version is outside the configuration, and Pacemaker answers with either of them or with
// everything. The version is read first: if the configuration is then edited before it is read, a
// patch is against an outdated version, and Pacemaker refuses it.
func (t *Tools) Configuration(ctx context.Context) (*CIB, error) {
	if file, err := os.Stat(t.Saved); err != nil || file.Size() < Large {
		return t.Query(ctx)
	}
	ctx, cancel := withLimit(ctx)
	defer cancel()
	head, err := t.query(ctx, "--xpath", "/cib", "--no-children")
	if err != nil {
		return nil, err
	}
	configuration, err := t.query(ctx, "--scope", "configuration")
	if err != nil {
		return nil, err
	}
	head, ok := bytes.CutSuffix(bytes.TrimSpace(head), []byte("/>"))
	if !ok {
		return nil, errors.New("cibadmin's answer cannot be read: <cib> is not empty")
	}
	text := slices.Concat(head, []byte(">\n"), configuration, []byte("</cib>\n"))
	c, err := parse(text)
	if err != nil {
		return nil, err
	}
	c.text, c.partial = text, true
	return c, nil
}

// patch is the difference between a plan's two configurations, made once.
type patch struct {
	mu   sync.Mutex
	text []byte
}

// Check has crm_verify and crm_simulate check the plan's new configuration, and makes the patch at
// the same time. If Pacemaker would start nothing because fencing is missing, it returns
// ErrNoFencing together with the forecast.
func (t *Tools) Check(ctx context.Context, p Plan) (Forecast, error) { return t.check(ctx, p, true) }

// Verify is Check without the simulation, for callers who show no forecast: it saves a third of the
// work.
func (t *Tools) Verify(ctx context.Context, p Plan) (warnings []string, err error) {
	f, err := t.check(ctx, p, false)
	return f.Warnings, err
}

// errNoStatus is a mistake of the caller.
var errNoStatus = errors.New("a configuration that was read without its status cannot be simulated")

func (t *Tools) check(ctx context.Context, p Plan, simulated bool) (Forecast, error) {
	if p.Empty() {
		return Forecast{}, nil
	}
	if simulated && p.New.partial {
		return Forecast{}, errNoStatus
	}
	ctx, cancel := withLimit(ctx)
	defer cancel()
	files, err := writePlan(p, simulated)
	if err != nil {
		return Forecast{}, err
	}
	defer files.remove()

	var f Forecast
	var warnings []string
	errs := make([]error, 3)
	var wait sync.WaitGroup
	wait.Go(func() { warnings, errs[0] = t.verify(ctx, files) })
	if simulated {
		wait.Go(func() { f, errs[1] = t.simulate(ctx, files) })
	}
	wait.Go(func() { errs[2] = t.makePatch(ctx, p, files) })
	wait.Wait()
	f.Warnings = append(warnings, f.Warnings...)
	if errs[0] != nil && !errors.Is(errs[0], ErrNoFencing) {
		// what is wrong with the configuration explains the other failures
		return Forecast{}, errs[0]
	}
	return f, errors.Join(errs...)
}

// Apply writes the plan as one versioned patch.
//
// Pacemaker 2.1.5 accepts changes even in a partition without quorum, and drops or merges them by
// version when the partitions meet again: what was written there may be lost, or override what the
// other partition wrote. So Apply refuses.
func (t *Tools) Apply(ctx context.Context, p Plan) error {
	if p.Empty() {
		return nil
	}
	if t.file() == "" && !p.Base.Quorate() {
		return &ToolError{
			Tool: "cibadmin", Code: exitNoQuorum, Err: ErrNoQuorum,
			Message: "cannot write the configuration: this part of the cluster " +
				"has no quorum, and what is written here may be lost when the nodes meet again: " +
				"bring more nodes back, see `crm_mon -1`",
		}
	}
	ctx, cancel := withLimit(ctx)
	defer cancel()
	if p.patch == nil {
		return errors.New("this plan was not made by Diff")
	}
	p.patch.mu.Lock()
	made := p.patch.text != nil
	p.patch.mu.Unlock()
	if !made {
		files, err := writePlan(p, false)
		if err != nil {
			return err
		}
		defer files.remove()
		if err := t.makePatch(ctx, p, files); err != nil {
			return Unwritten(ctx, err)
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return Unwritten(ctx, ctx.Err())
	}
	if ctx.Err() != nil {
		return &ToolError{
			Tool: "cibadmin", Code: -1, Message: "had no time left to write anything",
			Err: ctx.Err(),
		}
	}
	writing, done := outlive(ctx)
	defer done()
	out, err := t.run(writing, p.patch.text, "cibadmin", "--patch", "--xml-pipe")
	// The version counts changes of the status too, and a resource that keeps failing changes that
	// faster than a new plan can be made. As long as the configuration itself is the one that was
	// read, the plan is still right, and only the count is out of date.
	tried := p.Base.Version.NumUpdates
	for range maxRenumber {
		if err != nil || ctx.Err() != nil || !patchIsStale(out) {
			break
		}
		cib, readErr := t.Configuration(ctx)
		if readErr != nil || cib.Version.AdminEpoch != p.Base.Version.AdminEpoch ||
			cib.Version.Epoch != p.Base.Version.Epoch ||
			t.file() == "" && !cib.Quorate() {
			break
		}
		if cib.Version.NumUpdates == tried { // the version is not why, and will not change
			return &ToolError{
				Tool: "cibadmin", Code: out.code, Err: fmt.Errorf("cibadmin exited with %d", out.code),
				Message: "cannot write the configuration: Pacemaker does not take the change, " +
					"although the configuration is still the one that it was made for: " + said(out),
			}
		}
		tried = cib.Version.NumUpdates
		out, err = t.run(writing, renumber(p.patch.text, cib.Version.NumUpdates), "cibadmin",
			"--patch", "--xml-pipe")
	}
	if writing.Err() != nil && err != nil {
		return fmt.Errorf(
			"it is not known whether the configuration was written; `hawser plan` shows it: "+
				"%w", err)
	}
	if err != nil {
		return err
	}
	if out.code == exitError && p.Base.Version.Epoch > 0 && saysStale(out) {
		// the configuration is older than the one that was read: somebody has replaced it
		out.code = exitOld
	}
	if out.code != 0 {
		return t.toolError("cibadmin", "write the configuration", out)
	}
	return nil
}

// writeGrace is how long a write that has begun may still take when its caller gives up.
const writeGrace = 5 * time.Second

// outlive returns a context that lasts a little longer than ctx: a report that nothing was written
// must be reliable.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-longer.Done():
		case <-time.After(writeGrace):
			cancel()
		}
	})
	return longer, func() { stop(); cancel() }
}

// maxRenumber bounds how often Apply retries while the status keeps changing.
const maxRenumber = 40

var sourceVersionRE = regexp.MustCompile(`(<source [^>]*num_updates=")[0-9]+"`)

// renumber adapts a patch to the same configuration with a different count of status changes.
func renumber(patch []byte, updates int) []byte {
	return sourceVersionRE.ReplaceAll(patch, fmt.Appendf(nil, `${1}%d"`, updates))
}

// planFiles are a plan's two configurations, in files that only this user can read: they may hold
// secrets. The status can be many times as large as the configuration, and only the scheduler needs
// it: crm_diff finds no difference in it, and crm_verify would only warn of failures and of
// resources that are deleted while they run, and take three times as long.
type planFiles struct {
	dir       string
	base, new string // with every node down
	live      string // the new one with the cluster's status, if it is to be simulated
	old, xml  []byte // what base and new hold
	resources bool   // whether new has any
}

func (f planFiles) remove() { _ = os.RemoveAll(f.dir) }

func writePlan(p Plan, simulated bool) (planFiles, error) {
	dir, err := os.MkdirTemp("", "hawser-plan-") // 0700
	if err != nil {
		return planFiles{}, fmt.Errorf("cannot make a temporary directory for the plan: %w", err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	next, down := p.New.patchedAs().render(), p.New.allDown()
	f := planFiles{
		dir: dir, base: at("base.xml"), new: at("new.xml"), live: at("live.xml"),
		old: withStatus(p.Base.patchedAs().asRead(), down), xml: withStatus(next, down),
		resources: p.New.hasResources(),
	}
	texts := map[string][]byte{f.base: f.old, f.new: f.xml}
	if simulated {
		texts[f.live] = withStatus(next, p.New.status)
	}
	for path, text := range texts {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			f.remove()
			return planFiles{}, fmt.Errorf("cannot write the plan for Pacemaker's tools: %w", err)
		}
	}
	return f, nil
}

// makePatch has crm_diff compare the two configurations. Its exit code is 1 if they differ.
func (t *Tools) makePatch(ctx context.Context, p Plan, f planFiles) error {
	out, err := t.run(ctx, nil, "crm_diff", "--original", f.base, "--new", f.new)
	if err != nil {
		return err
	}
	if out.code != 1 || len(out.stdout) == 0 {
		return t.toolError("crm_diff", "compute the patch", out)
	}
	p.patch.mu.Lock()
	p.patch.text = out.stdout
	p.patch.mu.Unlock()
	return nil
}

// Status asks crm_mon, once.
func (t *Tools) Status(ctx context.Context) (*Status, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "crm_mon", "--one-shot", "--output-as=xml")
	if err != nil {
		return nil, err
	}
	if out.code != 0 {
		return nil, t.toolError("crm_mon", "ask for the cluster's status", out.withXMLErrors())
	}
	return ParseStatus(out.stdout)
}
