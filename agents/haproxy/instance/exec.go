package instance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/companion"
	"github.com/hawser-ha/hawser/agents/haproxy/unit"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/command"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// Launch runs HAProxy, which goes into the background (-D) once its master's sockets are bound. The
// error is HAProxy's own complaint.
//
// HAProxy outlives the agent and must keep nothing of it: its standard streams are files, all other
// descriptors are closed, its working directory is the root. HAProxy makes its own session, and lets
// go of its standard streams; the programs of its `program` sections do not, and write there for as
// long as they run. For them these are streams of the journal's, and HAProxy is run a second time for
// what it has to say if it does not start.
//
// Where systemd runs the machine, HAProxy is executed by the launcher, which first waits until it
// is in HAProxy's scope.
func (in *Instance) Launch(ctx context.Context, given *systemd.Settings, env, args []string) error {
	output, err := os.OpenFile(in.StartLog(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil { // a full /run is no reason to be without a HAProxy
		ocf.CallFrom(ctx).Warnf("cannot keep HAProxy's messages: %v", err)
		if output, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
			return err
		}
	}
	defer func() { _ = output.Close() }()
	companion.CloseOnExec()

	began := time.Now()
	err = errNoStream
	if in.hasPrograms() {
		err = in.launchWithPrograms(ctx, given, env, args)
	}
	if err != nil && ctx.Err() == nil {
		err = in.launchWith(ctx, output, given, env, args)
	}
	if err == nil {
		in.passOn(ctx)
		return nil
	}
	if ctx.Err() != nil {
		return slow(ctx, "HAProxy had not loaded its configuration", began, ctx.Err())
	}
	return in.startFailure("HAProxy did not start: ", err.Error())
}

// launchWith runs HAProxy with these standard streams.
func (in *Instance) launchWith(ctx context.Context, output *os.File, given *systemd.Settings, env,
	args []string) error {
	cmd := command.New(ctx, in.Binpath, args...)
	cmd.Env = append([]string{contract.SearchPath, FamilyVariable + "=" + in.Dir}, env...)
	cmd.Stdout, cmd.Stderr = output, output
	if in.Systemd.Booted() {
		return in.throughLauncher(ctx, given, cmd)
	}
	return cmd.Run()
}

// errNoStream means that HAProxy has not been run yet.
var errNoStream = errors.New("HAProxy was not run")

// hasPrograms reports whether HAProxy will start programs of its configuration's.
func (in *Instance) hasPrograms() bool {
	sources, err := in.ReadBriefly()
	return err == nil && client.HasPrograms(sources)
}

// launchWithPrograms runs HAProxy with streams of the journal's, or with none where there is no
// journal.
func (in *Instance) launchWithPrograms(ctx context.Context, given *systemd.Settings, env,
	args []string) error {
	var output *os.File
	err := errNoStream
	if in.Systemd.Booted() {
		output, err = systemd.Journal("haproxy")
	}
	if err != nil {
		output, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	}
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	return in.launchWith(ctx, output, given, env, args)
}

// throughLauncher has the launcher execute the command.
func (in *Instance) throughLauncher(ctx context.Context, given *systemd.Settings,
	cmd *exec.Cmd) error {
	if given == nil {
		given = systemd.Unchanged()
	}
	order := unit.LaunchOrder{Settings: *given, Path: cmd.Path, Args: cmd.Args, Env: cmd.Env}
	if cmd.Err != nil {
		return cmd.Err
	}
	cmd.Path, cmd.Args = in.Program, []string{unit.LauncherName}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	report, reported, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = report.Close() }()
	cmd.ExtraFiles = []*os.File{reported}
	err = cmd.Start()
	_ = reported.Close()
	if err != nil {
		return err
	}
	call := ocf.CallFrom(ctx)
	if err := in.MoveTo(ctx, in.Scope(), cmd.Process.Pid); err != nil {
		call.Warnf("HAProxy: %v", err)
	}
	err = json.NewEncoder(stdin).Encode(order)
	_ = stdin.Close()
	// The pipe ends when the launcher exits or becomes HAProxy.
	var r unit.LaunchReport
	for decoder := json.NewDecoder(report); err == nil; {
		if decoder.Decode(&r) != nil {
			break
		}
	}
	if len(r.Problems) > 0 {
		call.Warnf("HAProxy goes without settings of %s: %s", in.Unit,
			strings.Join(r.Problems, "; "))
	}
	err = errors.Join(err, cmd.Wait())
	if r.Fatal != "" {
		return errors.New(r.Fatal)
	}
	return err
}

// passOn logs what HAProxy said at a start that succeeded. What it says later goes to its own log:
// as a daemon it closes its standard streams.
func (in *Instance) passOn(ctx context.Context) {
	text, _ := os.ReadFile(in.StartLog())
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasSuffix(line, "already specified. Continuing."):
			// user and group, of which the unit's come first
		case strings.HasPrefix(line, "[WARNING]") || strings.HasPrefix(line, "[ALERT]"):
			ocf.CallFrom(ctx).Warnf("HAProxy says: %s", line)
		}
	}
}

// startFailure returns the error of a HAProxy that failed to start: what it said, or else the
// fallback.
func (in *Instance) startFailure(what, fallback string) error {
	text, _ := os.ReadFile(in.StartLog())
	if refused := client.Refused(string(text)); refused != nil {
		return verdict(refused)
	}
	if complaint := client.Complaint(string(text)); complaint != "" {
		return &startError{what + complaint, false}
	}
	return &startError{what + fallback, true}
}
