using System.Text.Json.Nodes;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>A client in memory that buffers and plays in real time of the fake clock, and writes down all it gets.</summary>
internal sealed class FarEnd(int inputRateHz, int outputRateHz, TimeSpan buffer, TimeProvider clock) : IMediaPort
{
    private readonly TaskCompletionSource<MediaEnd> _end = new();
    private readonly Queue<short> _buffered = new();
    private readonly long _start = clock.GetTimestamp();
    private IMediaSink? _sink;
    private long _playedUntil = clock.GetTimestamp();

    public int InputSampleRateHz => inputRateHz;
    public int OutputSampleRateHz => outputRateHz;
    public TimeSpan OutputBuffer => buffer;
    public bool CanClear { get; set; } = true;

    /// <summary>Everything that was played to the user.</summary>
    public List<short> Heard { get; } = [];
    /// <summary>When each frame came, and its first sample.</summary>
    public List<(TimeSpan At, int Samples, short First)> Frames { get; } = [];
    public List<TimeSpan> Clears { get; } = [];
    public List<(TimeSpan At, JsonObject Message)> Messages { get; } = [];
    /// <summary>The most that was ever buffered beyond what was played.</summary>
    public int MostBuffered { get; private set; }
    /// <summary>When the conversation closed the medium; null before.</summary>
    public TimeSpan? ClosedAt { get; private set; }
    public bool IsClosed => ClosedAt is not null;
    public TimeSpan Now => clock.GetElapsedTime(_start);

    public IEnumerable<JsonObject> OfType(string type) => Messages.Where(item => (string?)item.Message["type"] == type).Select(item => item.Message);

    public void Say(ReadOnlySpan<short> pcm) => _sink!.OnAudio(pcm);

    public void Send(string json) => _sink!.OnData(System.Text.Encoding.UTF8.GetBytes(json));

    public void Press(string digits)
    {
        foreach (var digit in digits) _sink!.OnDtmf(digit);
    }

    public void Leave(MediaEnd end) => _end.TrySetResult(end);

    /// <summary>Plays what real time allows.</summary>
    public void Play()
    {
        var now = clock.GetTimestamp();
        var due = (int)(clock.GetElapsedTime(_playedUntil, now).TotalSeconds * outputRateHz);
        _playedUntil = now;
        while (due-- > 0 && _buffered.TryDequeue(out var sample)) Heard.Add(sample);
    }

    public bool TrySendAudio(ReadOnlySpan<short> pcm)
    {
        foreach (var sample in pcm) _buffered.Enqueue(sample);
        MostBuffered = Math.Max(MostBuffered, _buffered.Count);
        Frames.Add((Now, pcm.Length, pcm[0]));
        return true;
    }

    public bool TrySendData(ReadOnlyMemory<byte> json)
    {
        Messages.Add((Now, JsonNode.Parse(json.Span)!.AsObject()));
        return true;
    }

    public void ClearAudio()
    {
        Play();
        _buffered.Clear();
        Clears.Add(Now);
    }

    public Task<MediaEnd> RunAsync(IMediaSink sink, CancellationToken cancellationToken)
    {
        _sink = sink;
        return _end.Task.WaitAsync(cancellationToken);
    }

    public Task CloseAsync(string reason, bool mayReturn, CancellationToken cancellationToken)
    {
        ClosedAt = Now;
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
