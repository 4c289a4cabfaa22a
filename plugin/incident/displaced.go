package incident

// OtherZones is the zone of a summary of several incidents.
const OtherZones = "(others)"

// displace drops the incident in to make room for another one. What has not
// been told of it is left to the next summaries.
func (t *Table) displace(in *incident) {
	if untold := in.untold(); untold != nil {
		t.keepUntold(*untold)
	}
	t.drop(in)
}

// keepUntold adds s to what is told of displaced incidents. It is kept by cause,
// plugin and reason alone, which are few, as it is a flood of zones or upstreams that
// fills the table; the names of several incidents are counted one by one, and
// which of them failed most is not kept.
func (t *Table) keepUntold(s Summary) {
	s.ID = ID{Cause: s.Cause, At: s.At, Reason: s.Reason, Zone: OtherZones}
	kept := t.displaced[s.ID]
	if kept == nil {
		s.Top = nil
		t.displaced[s.ID] = &s
		return
	}
	kept.Window += s.Window
	kept.WindowCached += s.WindowCached
	kept.Names += s.Names
	if s.Last.After(kept.Last) {
		kept.Last = s.Last
	}
}
