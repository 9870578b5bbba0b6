using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>The parts of a resumed call's recording as one WAV.</summary>
public sealed class CallRecordingTests
{
    private const int BytesPerSecond = 64_000;

    [Fact]
    public void Parts_AreWhereTheyWere_WithSilenceBetween_AndReadAlikeInAnyPieces()
        => Prop.ForAll<PositiveInt, PositiveInt, PositiveInt>((first, gap, seed) =>
        {
            var (one, two) = (Sound(first.Get % 5_000 + 1, 1), Sound(seed.Get * 7 % 5_000 + 1, 2));
            var start = (gap.Get % 8_000) * 4;       // before or after the first one's end
            var blobs = new MemoryBlobs { [CallBlobs.Recording("c")] = Wav(one), [CallBlobs.Recording("c", 2)] = Wav(two) };
            using var joined = CallRecording.Open(blobs, Call(new(1, TimeSpan.Zero), new(2, TimeSpan.FromSeconds((double)start / BytesPerSecond))))!;

            var expected = new byte[44 + start + two.Length];
            Array.Copy(one, 0, expected, 44, Math.Min(one.Length, start));
            two.CopyTo(expected, 44 + start);
            var whole = ReadAll(joined, new Random(seed.Get));
            Assert.Equal(expected.Length, joined.Length);
            Assert.Equal(expected.AsSpan(44), whole.AsSpan(44));
            Assert.Equal(start + two.Length, BinaryPrimitives.ReadInt32LittleEndian(whole.AsSpan(40)));
            Assert.Equal(whole.Length - 8, BinaryPrimitives.ReadInt32LittleEndian(whole.AsSpan(4)));

            var at = seed.Get % whole.Length;
            joined.Seek(at, SeekOrigin.Begin);
            Assert.Equal(expected.AsSpan(Math.Max(44, at)), ReadAll(joined, new Random(seed.Get)).AsSpan(Math.Max(0, 44 - at)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void APartThatWasNeverWritten_IsSilence_AndWithoutAnyThereIsNone()
    {
        var blobs = new MemoryBlobs { [CallBlobs.Recording("c", 2)] = Wav(Sound(10, 2)) };
        var call = Call(new(1, TimeSpan.Zero), new(2, TimeSpan.FromSeconds(1)));
        using var joined = CallRecording.Open(blobs, call)!;
        Assert.Equal(44 + BytesPerSecond + 40, joined.Length);
        Assert.All(ReadAll(joined, new Random(1))[44..(44 + BytesPerSecond)], sample => Assert.Equal(0, sample));
        Assert.Null(CallRecording.Open(new MemoryBlobs(), call));
    }

    private static CallSnapshot Call(params RecordingPart[] parts)
        => new() { Settings = CallSamples.Settings("c", DateTimeOffset.UnixEpoch), Stage = CallSamples.Settings("c", DateTimeOffset.UnixEpoch).FirstStage, RecordingParts = parts };

    private static byte[] Sound(int frames, byte value) => [.. Enumerable.Repeat(value, frames * 4)];

    private static byte[] Wav(byte[] sound) => [.. "RIFF0000WAVEfmt "u8, .. new byte[28], .. sound];

    private static byte[] ReadAll(Stream stream, Random random)
    {
        var all = new List<byte>();
        for (var buffer = new byte[random.Next(1, 4_000)]; stream.Read(buffer) is > 0 and var read;) all.AddRange(buffer.AsSpan(0, read));
        return [.. all];
    }

    private sealed class MemoryBlobs : Dictionary<string, byte[]>, IBlobStore
    {
        public Stream OpenWrite(string name) => throw new NotSupportedException();
        public Stream? OpenRead(string name) => TryGetValue(name, out var blob) ? new MemoryStream(blob) : null;
        public bool Delete(string name) => Remove(name);
    }
}
