using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>The sound of single messages, cut out of recordings whose sample n is n on the left and -n on the right.</summary>
public sealed class MessageAudioTests
{
    private const int RateHz = 16_000;

    [Theory]
    [InlineData(MessageRole.User, 1_440, 1)]        // from 160 ms earlier on
    [InlineData(MessageRole.Agent, 4_000, -1)]
    public void Message_IsItsOwnSideAtItsTime(MessageRole role, int first, int sign)
    {
        using var audio = MessageAudio.Open(Recorded(32_000), Call(), Said(role, 0.25, 0.5));
        var wav = ReadAll(audio, 1_000);

        Assert.Equal(44 + 2 * (8_000 - first), wav.Length);
        Assert.Equal(wav.Length, audio.Length);
        Assert.Equal("RIFF"u8, wav.AsSpan(0, 4));
        Assert.Equal((wav.Length - 8, 1, RateHz, 16, wav.Length - 44), (Int(wav, 4), Short(wav, 22), Int(wav, 24), Short(wav, 34), Int(wav, 40)));
        for (var i = 0; i < 8_000 - first; i++) Assert.Equal(sign * (first + i), Short(wav, 44 + 2 * i));
    }

    [Fact]
    public void AnyRange_IsWhatTheWholeHasThere() => Prop.ForAll<NonNegativeInt, PositiveInt>((at, piece) =>
    {
        using var audio = MessageAudio.Open(Recorded(32_000), Call(), Said(MessageRole.Agent, 0.1, 0.4));
        var whole = ReadAll(audio, 10_000);
        var from = at.Get * 101 % whole.Length;
        audio.Seek(from, SeekOrigin.Begin);
        Assert.Equal(whole[from..], ReadAll(audio, piece.Get));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void MessageBeforeTheFirstSample_BeginsThere()
    {
        using var audio = MessageAudio.Open(Recorded(32_000), Call(), Said(MessageRole.User, 0.05, 0.5));
        Assert.Equal(44 + 2 * 8_000, audio.Length);
    }

    [Fact]
    public void ResumedCall_HasItsMessagesInTheirParts()
    {
        var blobs = Recorded(16_000);
        blobs[CallBlobs.Recording("c", 2)] = Recorded(16_000)[CallBlobs.Recording("c")];
        var call = Call() with { RecordingParts = [new(1, TimeSpan.Zero), new(2, TimeSpan.FromSeconds(5))] };

        using var audio = MessageAudio.Open(blobs, call, Said(MessageRole.Agent, 5.5, 5.75));

        Assert.Equal(-8_000, Short(ReadAll(audio, 500), 44));
    }

    [Theory]
    [InlineData(MessageRole.User, 1.5, 3, true, 200)]          // the recording ended a little early
    [InlineData(MessageRole.User, 1.5, 3, false, 425)]         // it is still being said
    [InlineData(MessageRole.Agent, 2.5, 3, false, 425)]
    [InlineData(MessageRole.Agent, 2.5, 3, true, 404)]
    [InlineData(MessageRole.Agent, 1, 1, true, 404)]
    [InlineData(MessageRole.ToolCall, 0, 1, true, 404)]
    public void WhatIsNotThere_IsMissingOrNotYet(MessageRole role, double start, double end, bool isEnded, int status)
    {
        var call = Call() with { Ended = isEnded ? DateTimeOffset.UnixEpoch : null };
        Assert.Equal(status, Status(Recorded(32_000), call, Said(role, start, end)));
    }

    [Fact]
    public void WithoutARecording_OrSound_ThereIsNone()
    {
        var message = Said(MessageRole.User, 0, 1);
        Assert.Equal(404, Status(Recorded(32_000), Call() with { Settings = Call().Settings with { RecordingEnabled = false } }, message));
        Assert.Equal(404, Status(new MemoryBlobs(), Call(), message));
        Assert.Equal(425, Status(new MemoryBlobs(), Call() with { Ended = null }, message));
        Assert.Equal(404, Status(Recorded(32_000), Call(), message with { Medium = MessageMedium.Text }));
        Assert.Equal(404, Status(Recorded(32_000), Call(), message with { WallClockTimespan = null }));       // an initial message
    }

    private static int Status(MemoryBlobs blobs, CallSnapshot call, Message message)
    {
        try
        {
            using var audio = MessageAudio.Open(blobs, call, message);
            return 200;
        }
        catch (PlatformException exception)
        {
            return exception.Code.Status;
        }
    }

    private static CallSnapshot Call()
    {
        var settings = CallSamples.Settings("c", DateTimeOffset.UnixEpoch) with { RecordingEnabled = true };
        return new() { Settings = settings, Stage = settings.FirstStage, Ended = DateTimeOffset.UnixEpoch };
    }

    private static Message Said(MessageRole role, double start, double end)
        => new() { Role = role, Medium = MessageMedium.Voice, Text = "x", WallClockTimespan = new(TimeSpan.FromSeconds(start), TimeSpan.FromSeconds(end)) };

    private static MemoryBlobs Recorded(int frames)
    {
        var wav = new byte[44 + 4 * frames];
        for (var i = 0; i < frames; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(44 + 4 * i), (short)i);
            BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(46 + 4 * i), (short)-i);
        }
        return new MemoryBlobs { [CallBlobs.Recording("c")] = wav };
    }

    private static byte[] ReadAll(Stream stream, int piece)
    {
        var all = new List<byte>();
        for (var buffer = new byte[piece]; stream.Read(buffer) is > 0 and var read;) all.AddRange(buffer.AsSpan(0, read));
        return [.. all];
    }

    private static short Short(byte[] wav, int at) => BinaryPrimitives.ReadInt16LittleEndian(wav.AsSpan(at));

    private static int Int(byte[] wav, int at) => BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(at));

    private sealed class MemoryBlobs : Dictionary<string, byte[]>, IBlobStore
    {
        public Stream OpenWrite(string name) => throw new NotSupportedException();
        public Stream? OpenRead(string name) => TryGetValue(name, out var blob) ? new MemoryStream(blob) : null;
        public bool Delete(string name) => Remove(name);
    }
}
