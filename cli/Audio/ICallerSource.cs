namespace VoiceGrains.Cli.Audio;

/// <summary>Where the caller's voice comes from.</summary>
internal interface ICallerSource : IDisposable
{
    /// <summary>Fills one frame: speech, or silence when there is none. Never blocks.</summary>
    void Read(Span<short> frame);
}

/// <summary>Recordings, one after the other as they are handed in, and silence between them. Thread-safe.</summary>
internal sealed class RecordingSource : ICallerSource
{
    private readonly Lock gate = new();
    private ReadOnlyMemory<short> rest;
    private TaskCompletionSource? finished;

    /// <summary>Speaks a recording; completes when its last sample was taken.</summary>
    public Task SayAsync(CallerAudio audio, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            rest = audio.Samples;
            finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return finished.Task.WaitAsync(cancellationToken);
        }
    }

    public void Read(Span<short> frame)
    {
        lock (gate)
        {
            var length = Math.Min(frame.Length, rest.Length);
            rest.Span[..length].CopyTo(frame);
            frame[length..].Clear();
            rest = rest[length..];
            if (rest.IsEmpty)
                finished?.TrySetResult();
        }
    }

    public void Dispose()
    {
    }
}
