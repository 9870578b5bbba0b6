using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Transport;

public sealed class TcpFrameReaderTests
{
    private const int MaxLength = 200;

    [Fact]
    public void HoweverTheStreamIsCut_TheFramesAreTheSame()
    {
        foreach (var seed in FuzzTime.Cases())
        {
            var random = new Random(seed);
            var frames = Enumerable.Range(0, random.Next(1, 20)).Select(_ => Bytes(random, random.Next(MaxLength + 1))).ToList();
            byte[] stream = [.. frames.SelectMany(frame => TcpPeer.Frame(frame))];

            var (read, isBroken) = Read(random, stream);

            Assert.False(isBroken, $"seed {seed}");
            Assert.Equal(frames.Select(Convert.ToHexString), read.Select(Convert.ToHexString));
        }
    }

    [Fact]
    public void AnyStream_IsReadUpToAFrameThatIsTooLong()
    {
        foreach (var seed in FuzzTime.Cases())
        {
            var random = new Random(seed);
            var stream = Bytes(random, random.Next(2_000));
            for (var i = 0; i < stream.Length; i += random.Next(1, 100))
                stream[i] = 0;   // short lengths, so that more than the first frame is read

            var (read, isBroken) = Read(random, stream);

            var (expected, expectBroken) = Expected(stream);
            Assert.True(isBroken == expectBroken, $"seed {seed}");
            Assert.Equal(expected.Select(Convert.ToHexString), read.Select(Convert.ToHexString));
        }
    }

    private static (List<byte[]> Frames, bool IsBroken) Expected(byte[] stream)
    {
        var frames = new List<byte[]>();
        for (var at = 0; at + 2 <= stream.Length;)
        {
            var length = (stream[at] << 8) | stream[at + 1];
            if (length > MaxLength)
                return (frames, true);
            if (at + 2 + length > stream.Length)
                break;
            frames.Add(stream[(at + 2)..(at + 2 + length)]);
            at += 2 + length;
        }
        return (frames, false);
    }

    private static (List<byte[]> Frames, bool IsBroken) Read(Random random, byte[] stream)
    {
        using var reader = new TcpFrameReader(MaxLength);
        var frames = new List<byte[]>();
        for (var at = 0; at < stream.Length && !reader.IsBroken;)
        {
            Assert.False(reader.Free.IsEmpty);
            var count = Math.Min(Math.Min(random.Next(1, 300), stream.Length - at), reader.Free.Length);
            stream.AsSpan(at, count).CopyTo(reader.Free.Span);
            reader.Received(count);
            at += count;
            while (reader.TryRead(out var frame))
                frames.Add(frame.ToArray());
        }
        return (frames, reader.IsBroken);
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
