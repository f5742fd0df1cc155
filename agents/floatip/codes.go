package floatip

import (
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/ocf"
)

// codes maps each kind of fault to the exit code of an action that fails because of it.
var codes = map[fault.Kind]ocf.Code{
	fault.Unknown:      ocf.ErrGeneric,
	fault.Throttled:    ocf.ErrGeneric,
	fault.Busy:         ocf.ErrGeneric,
	fault.Denied:       ocf.ErrPerm,
	fault.NotFound:     ocf.ErrInstalled, // another node's token may belong to the right account
	fault.Misplaced:    ocf.ErrInstalled, // another node may be in the right data centre
	fault.NotInstalled: ocf.ErrInstalled,
	fault.Conflict:     ocf.ErrGeneric, // the other machine may go away, or be fenced
	fault.Broken:       ocf.ErrGeneric,
}

// coded gives a provider's error its exit code.
func coded(err error) error {
	if err == nil {
		return nil
	}
	return ocf.Errorf(codes[fault.Of(err)], "%w", err)
}
