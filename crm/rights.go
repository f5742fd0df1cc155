package crm

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
)

// daemonGroup is the group whose members may ask Pacemaker's daemons.
const daemonGroup = "haclient"

// corosyncConf makes a machine a node of a cluster.
const corosyncConf = "/etc/corosync/corosync.conf"

// mayAsk reports whether this user may ask Pacemaker of this machine at all. Where that is not known,
// it may.
func mayAsk() bool {
	if os.Geteuid() == 0 {
		return true
	}
	group, err := user.LookupGroup(daemonGroup)
	if err != nil {
		return true
	}
	id, err := strconv.Atoi(group.Gid)
	if err != nil || os.Getegid() == id {
		return true
	}
	mine, err := os.Getgroups()
	return err != nil || slices.Contains(mine, id)
}

// noNode reports whether this machine is certainly no node of a cluster.
func noNode() bool {
	_, err := os.Stat(corosyncConf)
	return errors.Is(err, fs.ErrNotExist)
}
