package atomicfile_test

import (
	"io/fs"
	"syscall"
)

func owner(info fs.FileInfo) [2]uint32 {
	stat := info.Sys().(*syscall.Stat_t)
	return [2]uint32{stat.Uid, stat.Gid}
}
