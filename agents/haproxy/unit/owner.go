package unit

import (
	"context"
	"fmt"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/internal/users"
	"github.com/hawser-ha/hawser/ocf"
)

// Where a unit has User= or Group=, its HAProxy makes its sockets as that user. The agent's makes
// them as root, and whoever reaches them by their group would be shut out.

// nobody stands for an owner that stays as it is, as in chown(2).
const nobody = -1

// Owner is whom a unit runs its program as.
type Owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// OwnerOf returns the ids of User= and Group= of a unit, nobody where it has none or root.
func OwnerOf(unit *systemd.Settings) (Owner, error) {
	o := Owner{nobody, nobody}
	if unit == nil || (unit.User == "" || unit.User == "root") && unit.Group == "" {
		return o, nil
	}
	var service users.Service
	if u, err := user.LookupId(unit.User); err == nil {
		o.UID, o.GID = number(u.Uid), number(u.Gid)
	} else if unit.User != "" {
		found, err := service.User(context.Background(), unit.User)
		if err != nil {
			return o, ocf.Errorf(ocf.ErrInstalled, "HAProxy's unit has User=%s: %w", unit.User, err)
		}
		o.UID, o.GID = int(found.UID), int(found.GID)
	}
	if g, err := user.LookupGroupId(unit.Group); err == nil {
		o.GID = number(g.Gid)
	} else if unit.Group != "" {
		gid, err := service.Group(context.Background(), unit.Group)
		if err != nil {
			return o, ocf.Errorf(ocf.ErrInstalled, "HAProxy's unit has Group=%s: %w", unit.Group, err)
		}
		o.GID = int(gid)
	}
	return o, nil
}

func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		return nobody
	}
	return n
}

// Lines returns the fragment's lines for the owner. HAProxy itself still
// starts as root: it has to bind sockets in a directory that belongs to root. Its workers' rights
// and the owners of its sockets (but for stats sockets, see Owner.Give) are the unit's.
func (o Owner) Lines() string {
	var lines, bind string
	if o.UID != nobody {
		lines, bind = fmt.Sprintf("\tuid %d\n", o.UID), fmt.Sprintf(" uid %d", o.UID)
	}
	if o.GID != nobody {
		lines, bind = lines+fmt.Sprintf("\tgid %d\n", o.GID), bind+fmt.Sprintf(" gid %d", o.GID)
	}
	if bind != "" {
		lines += "\tunix-bind" + bind + "\n"
	}
	return lines
}

// Give gives a stats socket to the owner, as far as the configuration leaves open whose it is, and
// nothing else: whoever may write to its directory must not have anything given to him.
func (o Owner) Give(socket client.StatsSocket) error {
	if socket.User {
		o.UID = nobody
	}
	if socket.Group {
		o.GID = nobody
	}
	if o == (Owner{nobody, nobody}) {
		return nil
	}
	fd, err := unix.Open(socket.Path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFSOCK || stat.Nlink != 1 {
		return fmt.Errorf("it is not a socket with one name: mode %o, %d names", stat.Mode,
			stat.Nlink)
	}
	return unix.Fchownat(fd, "", o.UID, o.GID, unix.AT_EMPTY_PATH)
}
