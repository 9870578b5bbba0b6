using System.Collections.Concurrent;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>Keeps what an agent tells.</summary>
internal sealed class TestSink : IIceSink
{
    private int _inside;

    public ConcurrentQueue<byte[]> Datagrams { get; } = new();

    public ConcurrentQueue<IceState> States { get; } = new();

    public bool WasEnteredTwice { get; private set; }

    /// <summary>Runs within each delivery.</summary>
    public Action? OnDelivery { get; set; }

    public void OnDatagram(ReadOnlySpan<byte> datagram)
    {
        WasEnteredTwice |= Interlocked.Increment(ref _inside) > 1;
        OnDelivery?.Invoke();
        Datagrams.Enqueue(datagram.ToArray());
        Interlocked.Decrement(ref _inside);
    }

    public void OnStateChanged(IceState state) => States.Enqueue(state);

    /// <summary>Waits for the states that were told in all; an answer to a check goes out before its state is told.</summary>
    public async Task AssertStatesAsync(params IceState[] states)
    {
        await Poll.UntilAsync(() => States.Count >= states.Length, $"{states.Length} states are told");
        Assert.Equal(states, States);
    }
}
