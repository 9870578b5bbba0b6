namespace VoiceGrains.Media.Tests.Wav;

public class WavWriterTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FileIsWhole_AfterEachFlush()
    {
        var file = new MemoryStream();
        var writer = new WavWriter(file, 16_000, 2);
        await writer.FlushAsync(Cancel);
        Assert.Empty(WavReader.Parse(file.ToArray()).Samples);

        var expected = new List<short>();
        for (short round = 1; round <= 3; round++)
        {
            var pcm = Enumerable.Repeat(round, 40_000).ToArray();      // more than the writer's buffer
            expected.AddRange(pcm[..20_000]);
            await writer.WriteAsync(pcm, Cancel);
            await writer.FlushAsync(Cancel);
            var bytes = file.ToArray();
            Assert.True(WavHeader.TryParse(bytes, WavLimits.Default, out var header, out _));
            Assert.Equal(new WavHeader(WavEncoding.Signed16, 16_000, 2, 44, bytes.Length - 44), header);
            Assert.Equal(expected, WavReader.Parse(bytes).Samples);
            Assert.Equal(bytes.Length - 8, BitConverter.ToInt32(bytes, 4));
            Assert.Equal(expected.Count, writer.Samples);
        }
    }

    [Fact]
    public async Task UnseekableStream_GetsTheSizesOfAnEndlessOne()
    {
        var file = new MemoryStream();
        var writer = new WavWriter(new OneWay(file), 8_000, 1);
        await writer.WriteAsync(new short[] { 1, 2, 3 }, Cancel);
        await writer.FlushAsync(Cancel);
        await writer.WriteAsync(new short[] { 4 }, Cancel);
        await writer.FlushAsync(Cancel);
        Assert.True(WavHeader.TryParse(file.ToArray(), WavLimits.Default, out var header, out _));
        Assert.Equal(-1, header.DataLength);
        Assert.Equal([1, 2, 3, 4], WavReader.Parse(file.ToArray()).Samples);
    }

    private sealed class OneWay(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
