using Microsoft.Extensions.Logging;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls;

/// <summary>The recorder of a live call and the task that writes it out. A disk that is full or away costs the recording, never the call.</summary>
internal sealed partial class LiveRecording : IAsyncDisposable
{
    private readonly string _callId;
    private readonly Stream _blob;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;

    private LiveRecording(string callId, Stream blob, TimeProvider clock, ILogger logger)
    {
        (_callId, _blob, _logger) = (callId, blob, logger);
        Recorder = new StereoRecorder(blob, LiveCallHost.RecordingRateHz, clock);
        _writing = TryAsync(() => Recorder.RunAsync(_stop.Token));
    }

    public StereoRecorder Recorder { get; }

    /// <summary>Null: the blob store takes none.</summary>
    public static LiveRecording? Open(IBlobStore blobs, CallRun run, TimeProvider clock, ILogger logger)
    {
        try
        {
            return new LiveRecording(run.CallId, blobs.OpenWrite(CallBlobs.Recording(run.CallId, run.Generation)), clock, logger);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogFailed(logger, run.CallId, failure);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing;
        await TryAsync(() => Recorder.DisposeAsync().AsTask());
        await TryAsync(() => _blob.DisposeAsync().AsTask());
        _stop.Dispose();
    }

    private async Task TryAsync(Func<Task> write)
    {
        var hadFailed = Recorder.Failure is not null;
        try
        {
            await write();
        }
        catch (Exception failure)
        {
            if (!hadFailed) LogFailed(_logger, _callId, failure);
        }
    }

    [LoggerMessage(3102, LogLevel.Error, "Call {CallId} is not recorded, or not to its end: the blob store failed")]
    private static partial void LogFailed(ILogger logger, string callId, Exception exception);
}
