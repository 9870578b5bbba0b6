using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls;

/// <summary>The sound of one message, cut out of the call's recording: of a user message the user's side, of an agent message the agent's.</summary>
public static class MessageAudio
{
    private const int StereoFrame = 4;
    private const int User = 0, Agent = 1;

    // A turn is noticed with its first loud frame; the soft beginning of its first word lies before.
    private static readonly TimeSpan SoftBeginning = TimeSpan.FromMilliseconds(160);

    /// <summary>A mono WAV, readable and seekable.</summary>
    /// <exception cref="PlatformException">404: the call was not recorded, or the message has no sound. 425: the sound is not in the recording yet.</exception>
    public static Stream Open(IBlobStore blobs, CallSnapshot call, Message message)
    {
        if (message is not { Medium: MessageMedium.Voice, Role: MessageRole.User or MessageRole.Agent, WallClockTimespan: { } time })
            throw new PlatformException(ErrorCode.NotFound, "The message has no audio.");
        if (!call.Settings.RecordingEnabled) throw new PlatformException(ErrorCode.NotFound, "The call has no recording.");
        var isUser = message.Role == MessageRole.User;
        var first = SampleAt(isUser ? time.Start - SoftBeginning : time.Start);
        var end = SampleAt(time.End);
        var recording = CallRecording.Open(blobs, call);
        var recorded = recording is null ? 0 : (recording.Length - PcmWavHeader.Length) / StereoFrame;
        if (recording is not null && first < end && (end <= recorded || (call.Ended is not null && first < recorded)))
            return new ChannelClip(recording, isUser ? User : Agent, first, Math.Min(end, recorded) - first);
        recording?.Dispose();
        throw call.Ended is null
            ? new PlatformException(new ErrorCode("recording_not_ready", 425, "Recording not ready"), "The message is not in the recording yet.")
            : new PlatformException(ErrorCode.NotFound, "The message has no audio.");
    }

    private static long SampleAt(TimeSpan time) => time <= TimeSpan.Zero ? 0 : (long)(time.TotalSeconds * LiveCallHost.RecordingRateHz);
}
