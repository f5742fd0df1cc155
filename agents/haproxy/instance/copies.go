package instance

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/copies"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// kept returns the copies of the configuration that HAProxy has loaded.
func (in *Instance) kept() copies.Copies {
	return copies.Copies{Dir: in.Copies(), Paths: in.UserFiles()}
}

// HasKept returns what HAProxy has loaded, from the copies.
func (in *Instance) HasKept() ([]client.Source, error) { return in.kept().Read() }

// ServedText returns the text of conffile as HAProxy has loaded it, which is a single file. Where that
// is what is there now it comes from there: an older agent has kept it in other words only.
func (in *Instance) ServedText() ([]byte, error) {
	sources, err := in.ReadBriefly()
	if same, _ := in.Copied(sources); err == nil && same {
		return os.ReadFile(in.Conffile)
	}
	return in.kept().Text(0, in.Conffile)
}

// Copied reports whether the copies are the same as the sources, and whether there are any.
func (in *Instance) Copied(sources []client.Source) (same, there bool) {
	return in.kept().Same(sources)
}

// KeepCopies replaces the copies with the sources, all at once. Where that fails there are none: those
// of before would be what comes back after a crash.
func (in *Instance) KeepCopies(sources []client.Source) error {
	if err := in.kept().Keep(sources); err != nil {
		return errors.Join(err, os.RemoveAll(in.Copies()))
	}
	return nil
}

// OnCopies reports whether a HAProxy runs from the copies.
func (in *Instance) OnCopies(pid int) bool { return in.kept().Run(procfs.Default.Args(pid)) }

// argsOnCopies is args with the user's files replaced by their copies.
func (in *Instance) argsOnCopies() []string {
	return in.kept().Args(in.Args(), in.Fragment(), in.LastFragment())
}

// lastGood returns the command line with the configuration that HAProxy loaded last, and whether
// that differs from the user's files, which it returns as well. Without copies, the user's files are
// used. Files that cannot be read at once are not waited for: clients are waiting, and HAProxy would
// hang on them too.
func (in *Instance) lastGood() (args []string, sources []client.Source, changed bool) {
	sources, err := in.ReadBriefly()
	if same, there := in.Copied(sources); there && (err != nil || !same) {
		return in.argsOnCopies(), sources, true
	}
	return in.Args(), sources, false
}

// ReadBriefly reads the user's files within diskTimeout. A read that hangs is left behind.
func (in *Instance) ReadBriefly() ([]client.Source, error) {
	type result struct {
		sources []client.Source
		err     error
	}
	read := make(chan result, 1)
	files := in.UserFiles()
	go func() {
		sources, err := client.ReadSources(files)
		read <- result{sources, err}
	}()
	select {
	case r := <-read:
		return r.sources, r.err
	case <-time.After(diskTimeout):
		return nil, fmt.Errorf("%s could not be read within %s", in.Conffile, diskTimeout)
	}
}
