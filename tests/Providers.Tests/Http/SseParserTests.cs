using System.Text;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Tests.Http;

public sealed class SseParserTests
{
    [Fact]
    public void AnyChunking_GivesTheSameEvents()
    {
        var lines = Gen.Elements("", "x", "{\"a\": \"ü€😀\"}", " leading", "a:b", "data", new string('z', 300));
        var endings = Gen.Elements("\n", "\r", "\r\n");
        var events = Gen.ListOf(Gen.Zip(Gen.NonEmptyListOf(lines), endings));
        var cuts = Gen.ListOf(Gen.Choose(1, 17));
        Prop.ForAll(Arb.From(Gen.Zip(events, cuts)), sample =>
        {
            var text = new StringBuilder();
            foreach (var (data, end) in sample.Item1)
                text.Append(": comment").Append(end).Append("event: x").Append(end).AppendJoin("", data.Select(d => $"data: {d}{end}")).Append(end);
            var expected = sample.Item1.Select(e => string.Join('\n', e.Item1)).ToList();
            Assert.Equal(expected, Parse(Encoding.UTF8.GetBytes(text.ToString()), [.. sample.Item2]));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("data: a\n\ndata: b\n\n", "a|b")]
    [InlineData("data:a\n\n", "a")]
    [InlineData("data:  a\n\n", " a")]
    [InlineData("data: a\ndata: b\n\n", "a\nb")]
    [InlineData("data\n\n", "")]
    [InlineData("\uFEFFdata: a\n\n", "a")]
    [InlineData("id: 1\n\n: keep-alive\n\ndata: a\n\n", "a")]
    [InlineData("data: a\r\rdata: b\r\n\r\n", "a|b")]
    [InlineData("data: a\n\ndata: [DONE]", "a|[DONE]")]   // the last blank line is missing
    [InlineData("datax: a\n\n", null)]
    public void Fields_AreReadAsTheStandardSays(string stream, string? events)
        => Assert.Equal(events?.Split('|') ?? [], Parse(Encoding.UTF8.GetBytes(stream), []));

    [Fact]
    public void ALineWithoutEnd_IsRefusedInBoundedMemory()
    {
        var parser = new SseParser(maxEventBytes: 100, maxStreamBytes: 1000);
        parser.Append("data: "u8);
        Assert.Equal(SseResult.NeedMore, parser.Read(out _));
        parser.Append(new byte[100]);
        Assert.Equal(SseResult.LineTooLong, parser.Read(out _));
    }

    [Fact]
    public void ManyLinesOfOneEvent_AreBoundedToo()
    {
        var parser = new SseParser(maxEventBytes: 100, maxStreamBytes: 10_000);
        for (var i = 0; i < 9; i++)
        {
            parser.Append("data: 0123456789\n"u8);
            Assert.Equal(SseResult.NeedMore, parser.Read(out _));
        }
        parser.Append("data: 0123456789\n"u8);
        Assert.Equal(SseResult.LineTooLong, parser.Read(out _));
    }

    [Fact]
    public void AStream_HasABoundAsAWhole()
    {
        var parser = new SseParser(maxEventBytes: 100, maxStreamBytes: 20);
        parser.Append("data: 1\n\ndata: 2\n\n"u8);
        Assert.Equal(SseResult.Event, parser.Read(out _));
        Assert.Equal(SseResult.Event, parser.Read(out _));
        parser.Append("data: 3\n\n"u8);
        Assert.Equal(SseResult.StreamTooLong, parser.Read(out _));
    }

    private static List<string> Parse(byte[] bytes, int[] cuts)
    {
        var parser = new SseParser(10_000, 1_000_000);
        var events = new List<string>();
        ReadOnlyMemory<byte> data;
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(cuts.Length > 0 ? cuts[i % cuts.Length] : bytes.Length, bytes.Length - at);
            parser.Append(bytes.AsSpan(at, length));
            at += length;
            while (parser.Read(out data) == SseResult.Event)
                events.Add(Encoding.UTF8.GetString(data.Span));
        }
        if (parser.TryReadLast(out data)) events.Add(Encoding.UTF8.GetString(data.Span));
        return events;
    }
}
