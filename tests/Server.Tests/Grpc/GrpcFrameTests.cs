using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Gateway.Grpc;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>The five bytes in front of each message, whatever pieces they come in.</summary>
public sealed class GrpcFrameTests
{
    private const int Limit = 1_000;

    [Theory]
    [InlineData("", nameof(GrpcFrameResult.NeedMore), 0u)]
    [InlineData("00", nameof(GrpcFrameResult.NeedMore), 0u)]
    [InlineData("02", nameof(GrpcFrameResult.BadFlag), 0u)]                      // told before the length has come
    [InlineData("FF00000001AA", nameof(GrpcFrameResult.BadFlag), 0u)]
    [InlineData("00000003E9", nameof(GrpcFrameResult.TooLarge), 1_001u)]        // told before the message has come
    [InlineData("01FFFFFFFF", nameof(GrpcFrameResult.TooLarge), 4_294_967_295u)]
    [InlineData("00000003E8", nameof(GrpcFrameResult.NeedMore), 1_000u)]
    [InlineData("0000000002AA", nameof(GrpcFrameResult.NeedMore), 2u)]
    [InlineData("0000000000", nameof(GrpcFrameResult.Complete), 0u)]
    [InlineData("0100000002AABBCC", nameof(GrpcFrameResult.Complete), 2u)]
    public void AHead_IsJudgedAsSoonAsItCanBe(string hex, string expected, uint length)
    {
        var result = GrpcFrame.TryRead(new ReadOnlySequence<byte>(Convert.FromHexString(hex)), Limit, out var frame, out var told);
        Assert.Equal((expected, length), (result.ToString(), told));
        Assert.Equal(result == GrpcFrameResult.Complete ? length : 0, frame.Payload.Length);
    }

    [Fact]
    public void WhatWasWritten_IsRead_HoweverItIsCut() => Prop.ForAll(
        (from messages in Gen.ArrayOf(Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>())).Resize(20)
         from flags in Gen.ArrayOf(ArbMap.Default.GeneratorFor<bool>(), messages.Length)
         from cuts in Gen.ArrayOf(Gen.Choose(1, 9)).Where(c => c.Length > 0)
         select (messages, flags, cuts)).ToArbitrary(),
        sample =>
        {
            var (messages, flags, cuts) = sample;
            var wire = new List<byte>();
            var prefix = new byte[GrpcFrame.PrefixLength];
            for (var i = 0; i < messages.Length; i++)
            {
                GrpcFrame.WritePrefix(prefix, flags[i], messages[i].Length);
                wire.AddRange(prefix);
                wire.AddRange(messages[i]);
            }
            var rest = Cut([.. wire], cuts);
            for (var i = 0; i < messages.Length; i++)
            {
                // No shorter piece is taken for a message.
                if (GrpcFrame.TryRead(rest.Slice(0, GrpcFrame.PrefixLength + messages[i].Length - 1), Limit, out _, out _) != GrpcFrameResult.NeedMore) return false;
                if (GrpcFrame.TryRead(rest, Limit, out var frame, out _) != GrpcFrameResult.Complete) return false;
                if (frame.Compressed != flags[i] || !frame.Payload.ToArray().AsSpan().SequenceEqual(messages[i])) return false;
                rest = rest.Slice(frame.Payload.End);
            }
            return rest.IsEmpty;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnyBytes_AreJudgedWithoutAnException() => Prop.ForAll(
        (from bytes in Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>())
         from cuts in Gen.ArrayOf(Gen.Choose(1, 5)).Where(c => c.Length > 0)
         select (bytes, cuts)).ToArbitrary(),
        sample =>
        {
            var whole = GrpcFrame.TryRead(new ReadOnlySequence<byte>(sample.bytes), Limit, out var frame, out var length);
            var cut = GrpcFrame.TryRead(Cut(sample.bytes, sample.cuts), Limit, out _, out var sameLength);
            return whole == cut && length == sameLength && frame.Payload.Length <= Limit;
        }).QuickCheckThrowOnFailure();

    /// <summary>The bytes as a pipe might hold them: in segments of the given lengths, over and over, with an empty one now and then.</summary>
    private static ReadOnlySequence<byte> Cut(byte[] bytes, int[] lengths)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, 0);
        var last = first;
        for (var (at, i) = (0, 0); at < bytes.Length; i++)
        {
            var length = Math.Min(lengths[i % lengths.Length], bytes.Length - at);
            last = last.Append(bytes.AsMemory(at, length));
            at += length;
            if (length == 3) last = last.Append(ReadOnlyMemory<byte>.Empty);
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
