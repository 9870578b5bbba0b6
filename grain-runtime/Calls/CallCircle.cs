namespace VoiceGrains.GrainRuntime.Calls;

/// <summary>A request that waits for its turn, and the turns it waits for.</summary>
internal sealed record WaitingCall(Invocation Request, IReadOnlyList<Invocation> BlockedBy);

/// <summary>
/// Finds calls that wait for each other. A waiting request waits for the turns that block its grain; a running one waits for the calls
/// it has made.
/// </summary>
internal static class CallCircle
{
    /// <summary>The calls of one circle, a waiting one first; <see langword="null"/> when there is none.</summary>
    public static List<Invocation>? Find(IEnumerable<WaitingCall> waiting, IEnumerable<Invocation> running)
    {
        var blockedBy = waiting.DistinctBy(call => call.Request)
            .ToDictionary(call => call.Request, call => call.BlockedBy);
        var calls = blockedBy.Keys.Concat(running).Distinct()
            .Select(call => (call, caller: call.Caller)).Where(pair => pair.caller is not null)
            .ToLookup(pair => pair.caller!, pair => pair.call);
        foreach (var start in blockedBy.Keys)
        {
            List<Invocation> path = [start];
            // One whose caller is outside of the circle would not break it.
            if (Reaches(start, start, path, []) && start.Caller is { } caller && path.Contains(caller))
                return path;
        }
        return null;

        bool Reaches(Invocation from, Invocation goal, List<Invocation> path, HashSet<Invocation> seen)
        {
            IEnumerable<Invocation> next = blockedBy.TryGetValue(from, out var blocking) && blocking.Count > 0 ? blocking : calls[from];
            foreach (var call in next)
            {
                if (call == goal)
                    return true;
                if (!seen.Add(call))
                    continue;
                path.Add(call);
                if (Reaches(call, goal, path, seen))
                    return true;
                path.RemoveAt(path.Count - 1);
            }
            return false;
        }
    }
}
