package instance

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/reading"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// Between a look at the files and HAProxy's own somebody may change them. The copies are what HAProxy
// has loaded, or there are none.

// MarkUnread has it noted when HAProxy has read its files, which is to come next. Without the note
// less is known afterwards, and nothing else.
func (in *Instance) MarkUnread() { _ = in.mark().Set() }

func (in *Instance) mark() reading.Mark { return reading.Mark(in.LastFragment()) }

// HasLoaded returns what HAProxy has loaded that was told to load these sources, after a time, and the
// hash of that: "" where it is not known, since somebody has changed the files meanwhile.
func (in *Instance) HasLoaded(ctx context.Context, since time.Time,
	sources []client.Source) (loaded []client.Source, hash string) {
	before := ""
	if len(sources) > 0 { // or they could not be read
		before = in.Hash(sources)
	}
	which, now := in.hasLoaded(ctx, since, before)
	switch which {
	case reading.Before:
		return sources, before
	case reading.Now:
		return in.WithChecks(now), client.Hash(now)
	}
	return sources, ""
}

// hasLoaded is HasLoaded for sources of which the hash is known, and returns the files as they are now.
// Files that cannot be read say nothing of a change.
func (in *Instance) hasLoaded(ctx context.Context, since time.Time,
	hash string) (reading.Which, []client.Source) {
	now, err := in.ReadBriefly()
	if err != nil || client.Hash(now) == hash {
		return reading.Before, now
	}
	which := in.mark().Loaded(since, in.UserFiles(), now)
	if which == reading.Unknown {
		ocf.CallFrom(ctx).Warnf("%s was changed while HAProxy loaded it, and it is not known which "+
			"version it serves: load what is there now with hawser reload", in.Conffile)
	}
	return which, now
}

// KeepLoaded makes the copies what HAProxy has loaded, none where that is not known.
func (in *Instance) KeepLoaded(sources []client.Source, hash string) error {
	if hash == "" {
		return os.RemoveAll(in.Copies())
	}
	return in.KeepCopies(sources)
}

// errEdited means that what was checked is not what was read before.
var errEdited = errors.New("it was changed while it was being checked")

// checkUnedited returns an error unless the files are still those sources.
func (in *Instance) checkUnedited(sources []client.Source) error {
	now, err := in.Sources()
	if err == nil && in.Hash(now) != in.Hash(sources) {
		err = errEdited
	}
	return err
}
