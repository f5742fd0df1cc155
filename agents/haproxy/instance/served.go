package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"

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
	// Published is the value of the node attribute as it was last published.
	Published string `json:"told,omitempty"`
}

// ServesNow returns what to remember when HAProxy loads these sources, at a start or a reload.
func (in *Instance) ServesNow(sources []client.Source, before Served) Served {
	return Served{Config: in.Hash(sources), Generation: in.Generation, At: time.Now(),
		Published: before.Published}
}

// ServesStill returns what to remember when HAProxy could not load what it should.
func (in *Instance) ServesStill(before Served) Served {
	if before.Asked = ""; in.Generation != before.Generation {
		before.Asked = in.Generation
	}
	return before
}

// servesAgain returns what to remember when HAProxy was brought back, from the copies or from the
// files.
func (in *Instance) servesAgain(before Served, fromCopies bool) Served {
	before.At = time.Now()
	if !fromCopies {
		if sources, err := in.ReadBriefly(); err == nil {
			before.Config = in.Hash(sources)
		}
	}
	return before
}

// Hash returns the hash of those sources that are the user's files.
func (in *Instance) Hash(sources []client.Source) string {
	if n := len(sources); n > 0 && sources[n-1].File == "check_url" { // see agent.sources
		sources = sources[:n-1]
	}
	return client.Hash(sources)
}

// CheckDemand returns an error if the generation demands another configuration than the sources. A
// generation for which HAProxy has already been started or reloaded demands nothing any more: then
// another parameter is the reason for the reload.
func (in *Instance) CheckDemand(s Served, sources []client.Source) error {
	wanted := contract.Demanded(in.Generation)
	if wanted == "" || in.Generation == s.Generation {
		return nil
	}
	if here := in.Hash(sources); here != wanted {
		return fmt.Errorf("%s is %s here, but %s should be served", in.Conffile, here, wanted)
	}
	return nil
}

// diskTimeout is how long reading the configuration's files may take for a comparison: they may be
// on a file system that hangs, which is no fault of a HAProxy that serves.
const diskTimeout = 500 * time.Millisecond

// HashOnDisk returns the hash of the files as they are now, or why there is none.
func (in *Instance) HashOnDisk() string {
	switch sources, err := in.ReadBriefly(); {
	case err == nil:
		return client.Hash(sources)
	case errors.Is(err, fs.ErrNotExist):
		return contract.Missing
	}
	return contract.Unreadable
}
