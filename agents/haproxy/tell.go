package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// served is what the agent remembers of the configuration that HAProxy took: that is what it serves, whatever the files say by now.
type served struct {
	// Config is the hash, "" if it is not known.
	Config string `json:"config,omitempty"`
	// Generation is the parameter's value for which it was taken, Asked a later one that waits with the pending reload.
	Generation string    `json:"generation,omitempty"`
	Asked      string    `json:"asked,omitempty"`
	At         time.Time `json:"at,omitzero"`
	// Told is the value of the node attribute that the cluster has been told.
	Told string `json:"told,omitempty"`
}

// takes is what is remembered when HAProxy takes these sources, at a start or a reload.
func (a *agent) takes(sources []client.Source, before served) served {
	return served{Config: a.configHash(sources), Generation: a.generation, At: time.Now(), Told: before.Told}
}

// refuses is what is remembered when it could not take over what it was to.
func (a *agent) refuses(before served) served {
	if before.Asked = ""; a.generation != before.Generation {
		before.Asked = a.generation
	}
	return before
}

// returned is what is remembered when HAProxy was brought back, from the copies of what it had taken or from the files.
func (a *agent) returned(before served, fromCopies bool) served {
	before.At = time.Now()
	if !fromCopies {
		if sources, err := client.ReadSources(a.userFiles()); err == nil {
			before.Config = a.configHash(sources)
		}
	}
	return before
}

// configHash is the hash of the sources that are files of the user's.
func (a *agent) configHash(sources []client.Source) string {
	if n := len(sources); n > 0 && sources[n-1].File == "check_url" { // see agent.sources
		sources = sources[:n-1]
	}
	return client.Hash(sources)
}

// expected is an error if the generation demands another configuration than the sources. One that HAProxy has already been started or reloaded
// for demands nothing any more: it is another parameter then for whose sake a reload is asked for.
func (a *agent) expected(s served, sources []client.Source) error {
	wanted := contract.Demanded(a.generation)
	if wanted == "" || a.generation == s.Generation {
		return nil
	}
	if here := a.configHash(sources); here != wanted {
		return fmt.Errorf("%s is %s here, and %s is to be served", a.conffile, here, wanted)
	}
	return nil
}

// diskTimeout is how long the configuration's files may take to be read for a comparison: they may be on a file system that hangs, which is
// no fault of a HAProxy that serves.
const diskTimeout = 500 * time.Millisecond

// onDisk is the hash of the files as they are now, or why there is none.
func (a *agent) onDisk() string {
	found := make(chan string, 1)
	files := a.userFiles()
	go func() {
		switch sources, err := client.ReadSources(files); {
		case err == nil:
			found <- client.Hash(sources)
		case errors.Is(err, fs.ErrNotExist):
			found <- contract.Missing
		default:
			found <- contract.Unreadable
		}
	}()
	select {
	case hash := <-found:
		return hash
	case <-time.After(diskTimeout):
		return contract.Unreadable
	}
}

// tellTaken tells the cluster which configuration HAProxy serves, if that is not what it was told: a steady monitor starts no process. It never
// fails a monitor or a reload: the next monitor tries again.
func (a *agent) tellTaken(ctx context.Context, f files, s *state) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered {
		return
	}
	disk := a.onDisk()
	if s.Served.Config == "" { // of an older agent, or the state was lost: the copies are what HAProxy took
		if sources, err := client.ReadSources(a.userFiles()); err == nil {
			if same, there := a.copied(f, sources); same && there {
				s.Served.Config = client.Hash(sources)
			}
		}
	}
	if s.Served.Generation == "" && s.Served.Asked == "" && s.Pending == nil {
		s.Served.Generation = a.generation // likewise: no reload waits for it
	}
	now := contract.Loaded{Serves: s.Served.Config, Generation: s.Served.Generation, Asked: s.Served.Asked, Worker: s.Served.At}
	if disk != now.Serves {
		now.Disk = disk
	}
	if s.Pending != nil {
		now.Pending = s.Pending.cause()
	}
	before := contract.ParseLoaded(s.Served.Told)
	now.OldWorkers, now.Conns = before.OldWorkers, before.Conns
	if before.OldWorkers > 0 || !before.Worker.Equal(now.Worker.Truncate(time.Second)) {
		now.OldWorkers, now.Conns = oldWorkersOf(ctx, f)
	}
	value := now.String()
	if value == s.Served.Told {
		return
	}
	if err := a.attrd("-n", contract.LoadedAttribute(resourceOf(call)), "-U", value); err != nil {
		call.Warnf("cannot tell the cluster which configuration HAProxy serves: %v", err)
		return
	}
	s.Served.Told = value
	if err := f.save(*s); err != nil {
		call.Warnf("%v", err)
	}
}

// oldWorkersOf counts the workers of before a reload, and their connections. A master that does not answer is the monitor's business.
func oldWorkersOf(ctx context.Context, f files) (workers, conns int) {
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	old, err := client.Master{Path: f.MasterSocket()}.OldWorkers(ctx)
	if err != nil {
		return 0, 0
	}
	for _, w := range old {
		conns += w.Conns
	}
	return len(old), conns
}

// tellReloaded is tellTaken after a reload, whatever has become of it.
func (a *agent) tellReloaded(ctx context.Context, f files) {
	if s, ok := f.load(); ok {
		a.tellTaken(ctx, f, &s)
	}
}

// untell takes back what tellTaken told.
func (a *agent) untell(ctx context.Context, s state) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || s.Served.Told == "" {
		return
	}
	if err := a.attrd("-n", contract.LoadedAttribute(resourceOf(call)), "-D"); err != nil {
		call.Warnf("cannot take back from the cluster which configuration HAProxy serves: %v", err)
	}
}
