using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace VoiceGrains.Grains.Calls;

/// <summary>The conversations of this silo, by call id: those that run, and those that are over and whose end is not stored yet.</summary>
public sealed class LiveCalls
{
    private readonly ConcurrentDictionary<string, ILiveCall> _calls = new(StringComparer.Ordinal);

    public int Count => _calls.Count;

    public bool TryGet(string callId, [NotNullWhen(true)] out ILiveCall? call) => _calls.TryGetValue(callId, out call);

    /// <summary>Takes the place of an earlier conversation of the call. False when this or a later one is there.</summary>
    public bool TryAdd(string callId, ILiveCall call)
    {
        while (!_calls.TryAdd(callId, call))
        {
            if (!_calls.TryGetValue(callId, out var known)) continue;
            if (known.Run.Generation >= call.Run.Generation) return false;
            if (_calls.TryUpdate(callId, call, known)) return true;
        }
        return true;
    }

    /// <summary>Does nothing when a later conversation of the call has taken the place.</summary>
    public void Remove(string callId, int generation = int.MaxValue)
    {
        if (_calls.TryGetValue(callId, out var call) && call.Run.Generation <= generation) _calls.TryRemove(KeyValuePair.Create(callId, call));
    }

    public IReadOnlyCollection<ILiveCall> Snapshot() => [.. _calls.Values];
}
