package haproxy

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// A push keeps what HAProxy served before it, for a rollback. That is what HAProxy had loaded, and not
// what the file said: where it is not known, there is nothing to go back to.

// servedText returns the text of the file that HAProxy serves, which may be the one on the disk. known
// is false where no copy says it, and the file on the disk is not the one that was noted.
func servedText(in *instance.Instance, s *instance.State, disk []byte) (text []byte, known bool) {
	text, err := in.ServedText()
	if err == nil {
		return text, true
	}
	sources, _ := in.OnDisk()
	if len(sources) > 0 && s.Served.Config != "" && in.IsNamed(sources, s.Served.Config) {
		return disk, true
	}
	return nil, false
}

// dropPrevious removes a previous file where it is not known what a push replaces: an older one would
// be taken for that.
func dropPrevious(ctx context.Context, path string) error {
	if err := instance.Remove(path + contract.PreviousSuffix); err != nil {
		return err
	}
	ocf.CallFrom(ctx).Warnf("it is not known what HAProxy served before this push, so there is no %s "+
		"to go back to", path+contract.PreviousSuffix)
	return nil
}

// keepServed keeps what HAProxy serves, if the file is another one by now.
func (a *agent) keepServed(ctx context.Context, in *instance.Instance, s *instance.State, path string,
	disk []byte) error {
	served, err := in.ServedText()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, known := servedText(in, s, disk); known || a.isServed(in, s, path+contract.PreviousSuffix) {
			return nil // it is there from a push that was killed when it had put the file in place
		}
		return dropPrevious(ctx, path)
	case err == nil && bytes.Equal(served, disk):
		return nil
	case err != nil:
		return err
	}
	return replaceFile(path+contract.PreviousSuffix, served, path)
}

// isServed reports whether HAProxy serves what it would read with this file in the place of conffile.
func (a *agent) isServed(in *instance.Instance, s *instance.State, path string) bool {
	text, err := os.ReadFile(path)
	sources, _ := in.OnDisk()
	if err != nil || len(sources) == 0 || s.Served.Config == "" {
		return false
	}
	for i := range sources {
		if sources[i].File == a.Conffile {
			sources[i].Text = string(text)
		}
	}
	return in.IsNamed(sources, s.Served.Config)
}
