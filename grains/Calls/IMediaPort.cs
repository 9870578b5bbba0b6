namespace VoiceGrains.Grains.Calls;

/// <summary>
/// What a medium (WebSocket, WebRTC, SIP, a provider's stream) is to a conversation. A new medium is one new class.
/// Outbound members are called by the pacer and the conversation, never block and never throw.
/// </summary>
public interface IMediaPort : IAsyncDisposable
{
    /// <summary>Rate of the PCM handed to <see cref="IMediaSink.OnAudio"/>, 8,000 to 48,000 Hz.</summary>
    int InputSampleRateHz { get; }

    /// <summary>Rate of the PCM that <see cref="TrySendAudio"/> takes, 8,000 to 48,000 Hz.</summary>
    int OutputSampleRateHz { get; }

    /// <summary>How far ahead of real time the conversation may send.</summary>
    TimeSpan OutputBuffer { get; }

    /// <summary>Whether the far end drops unplayed audio on <see cref="ClearAudio"/>. Where it cannot, what was sent will be heard.</summary>
    bool CanClear { get; }

    /// <summary>Queues agent audio. The samples are copied before returning. False: the far end reads too slowly, and the samples were dropped.</summary>
    bool TrySendAudio(ReadOnlySpan<short> pcm);

    /// <summary>Queues one data message (UTF-8 JSON) in order with the audio. False: the far end reads too slowly, and it was dropped.</summary>
    bool TrySendData(ReadOnlyMemory<byte> json);

    /// <summary>Drops agent audio that was queued but not heard, here and at the far end.</summary>
    void ClearAudio();

    /// <summary>Receives until the far end leaves or <paramref name="cancellationToken"/> fires; tells why it ended. Called once.</summary>
    Task<MediaEnd> RunAsync(IMediaSink sink, CancellationToken cancellationToken);

    /// <summary>Flushes what is queued (bounded wait) and closes politely.</summary>
    /// <param name="mayReturn">The server goes away, not the call: the far end may come back to it.</param>
    Task CloseAsync(string reason, bool mayReturn, CancellationToken cancellationToken);
}

/// <summary>How a medium ended.</summary>
public enum MediaEnd : byte { ClosedByClient, Lost, Idle, ProtocolError, Cancelled }

/// <summary>Where a medium delivers what the far end sent. One call at a time; spans are valid only during the call.</summary>
public interface IMediaSink
{
    void OnAudio(ReadOnlySpan<short> pcm);

    /// <summary>One data message, untrusted UTF-8.</summary>
    void OnData(ReadOnlySpan<byte> json);

    /// <summary>0-9, *, #, A-D.</summary>
    void OnDtmf(char digit);

    /// <summary>Something to note in the call's event log, for example overflow.</summary>
    void OnNotice(MediaNotice notice);
}

/// <summary>A medium's remark for the call's event log. <paramref name="Type"/> is the event's type.</summary>
public readonly record struct MediaNotice(string Type, string Text, bool IsWarning = true);
