package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"

	"github.com/hawser-ha/hawser/contract"
)

// Served is what the agent remembers of the configuration that HAProxy loaded: that is what it
// serves, whatever the files contain by now.
type Served struct {
	// Config is the hash, "" if it is not known.
	Config string `json:"config,omitempty"`
	// Generation is the parameter's value for which it was loaded, Asked a later one that is
	// waiting with the pending reload.
	Generation string    `json:"generation,omitempty"`
	Asked      string    `json:"asked,omitempty"`
	At         time.Time `json:"at,omitzero"`
	// Worker is the process that loaded it, 0 if that is not known.
	Worker int `json:"worker,omitempty"`
	// HardStop is how long the worker may serve its last connections once it is replaced, Cut is
	// when the previous one has to end.
	HardStop time.Duration `json:"hard_stop,omitempty"`
	Cut      time.Time     `json:"cut,omitzero"`
	// Published is the value of the node attribute as it was last published.
	Published string `json:"told,omitempty"`
}

// ServesNow returns what to remember when HAProxy has loaded these sources at a start.
func (in *Instance) ServesNow(sources []client.Source, hash string, env []string) Served {
	return Served{}.replaced(hash, in.Generation, in.hardStop(sources, env))
}

// replaced returns what to remember when a new worker has taken the place of the one that served
// before.
func (s Served) replaced(config, generation string, hardStop time.Duration) Served {
	now := Served{Config: config, Generation: generation, At: time.Now(), Worker: s.Worker,
		HardStop: hardStop, Published: s.Published}
	if s.HardStop > 0 {
		now.Cut = now.At.Add(s.HardStop)
	}
	return now
}

// ServesStill returns what to remember when HAProxy could not load what it should.
func (in *Instance) ServesStill(before Served) Served {
	if before.Asked = ""; in.Generation != before.Generation {
		before.Asked = in.Generation
	}
	return before
}

// Answered returns what to remember when a start has loaded the sources for which a reload was waiting,
// of this generation, which may demand others.
func (in *Instance) Answered(s Served, waiting string, sources []client.Source) Served {
	wanted := contract.Demanded(waiting)
	if waiting != "" && (wanted == "" || wanted == s.Config || in.IsNamed(sources, wanted)) {
		s.Generation, s.Asked = waiting, ""
	}
	return s
}

// Recall returns what of the configuration that HAProxy serves is known without a state: nothing,
// or the files, if they are those that it loaded.
func (in *Instance) Recall(master Process) Served {
	worker, started, err := in.workerOf(master)
	if err != nil {
		return Served{}
	}
	s := Served{Worker: worker}
	sources, err := in.ReadBriefly()
	if err != nil {
		return s
	}
	same, there := in.Copied(sources)
	if there && same || !there && client.Untouched(started, in.UserFiles(), sources) {
		s.Config = in.Hash(sources)
	}
	return s
}

// Started returns when the worker that serves was started, by this node's clock.
func (in *Instance) Started(master Process) (time.Time, error) {
	_, started, err := in.workerOf(master)
	return started, err
}

// workerOf returns the youngest worker of a master, and when it was started.
func (in *Instance) workerOf(master Process) (pid int, started time.Time, err error) {
	worker, err := in.youngestWorker(master)
	if err != nil {
		return 0, time.Time{}, err
	}
	started, err = procfs.Began(worker.Start)
	return worker.PID, started, err
}

// Hash returns the hash of those sources that are the user's files.
func (in *Instance) Hash(sources []client.Source) string { return client.Hash(usersOwn(sources)) }

// IsNamed reports whether the user's files have this hash, or had it by an earlier version.
func (in *Instance) IsNamed(sources []client.Source, hash string) bool {
	return client.IsNamed(usersOwn(sources), hash)
}

// usersOwn returns the sources without what WithChecks added.
func usersOwn(sources []client.Source) []client.Source {
	if n := len(sources); n > 0 && sources[n-1].File == "check_url" {
		return sources[:n-1]
	}
	return sources
}

// CheckDemand returns an error if the generation demands another configuration than the sources. A
// generation for which HAProxy has already been started or reloaded demands nothing any more: then
// another parameter is the reason for the reload.
func (in *Instance) CheckDemand(s Served, sources []client.Source) error {
	wanted := contract.Demanded(in.Generation)
	if wanted == "" || in.Generation == s.Generation {
		return nil
	}
	if !in.IsNamed(sources, wanted) {
		return fmt.Errorf("%s is %s here, but %s should be served", in.Conffile, in.Hash(sources),
			wanted)
	}
	return nil
}

// diskTimeout is how long reading the configuration's files may take for a comparison: they may be
// on a file system that hangs, which is no fault of a HAProxy that serves.
const diskTimeout = 500 * time.Millisecond

// OnDisk returns the user's files as they are now, and their hash, or why there is none.
func (in *Instance) OnDisk() (sources []client.Source, hash string) {
	sources, err := in.ReadBriefly()
	switch {
	case err == nil:
		return sources, client.Hash(sources)
	case errors.Is(err, fs.ErrNotExist):
		return nil, contract.Missing
	}
	return nil, contract.Unreadable
}
