package crm

import "github.com/beevik/etree"

// Version orders the states of a configuration: an administrator's epoch, the number of edits, the number of status updates.
type Version struct{ AdminEpoch, Epoch, NumUpdates int }

// CIB is a cluster's configuration and status as they were read. It is not changed by anything in this package.
type CIB struct {
	Version Version

	doc *etree.Document
}
