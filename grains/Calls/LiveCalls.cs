using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace VoiceGrains.Grains.Calls;

/// <summary>The conversations that run on this silo, by call id.</summary>
public sealed class LiveCalls
{
    private readonly ConcurrentDictionary<string, ILiveCall> _calls = new(StringComparer.Ordinal);

    public int Count => _calls.Count;

    public bool TryGet(string callId, [NotNullWhen(true)] out ILiveCall? call) => _calls.TryGetValue(callId, out call);

    /// <summary>False when the call already runs here.</summary>
    public bool TryAdd(string callId, ILiveCall call) => _calls.TryAdd(callId, call);

    public void Remove(string callId) => _calls.TryRemove(callId, out _);

    public IReadOnlyCollection<ILiveCall> Snapshot() => [.. _calls.Values];
}
