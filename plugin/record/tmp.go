package record

type Drop struct{ Server, At, Error, Zone string }

func (l *Log) Dropped(d Drop) {}
func CountNotAttached(server, reason string) {}
const NoRoom = "no_room"
