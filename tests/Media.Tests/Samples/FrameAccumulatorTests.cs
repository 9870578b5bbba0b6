using FsCheck;
using FsCheck.Fluent;

namespace VoiceGrains.Media.Tests.Samples;

public class FrameAccumulatorTests
{
    [Fact]
    public void Frames_AreTheStreamInOrder_WhateverTheSpanSizes() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(byte FrameSamples, byte[] Sizes)>(), input =>
        {
            var frames = new FrameAccumulator(input.FrameSamples + 1);
            var output = new List<short>();
            var next = 0;
            foreach (var size in input.Sizes ?? [])
            {
                ReadOnlySpan<short> pcm = [.. Enumerable.Range(next, size * 3).Select(i => (short)i)];
                next += size * 3;
                while (frames.TryPush(ref pcm, out var frame))
                {
                    Assert.Equal(frames.FrameSamples, frame.Length);
                    output.AddRange(frame);
                }
                Assert.True(pcm.IsEmpty);
            }
            Assert.Equal(next, output.Count + frames.Pending);
            Assert.Equal(Enumerable.Range(0, output.Count).Select(i => (short)i), output);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Flush_PadsTheRestWithSilence()
    {
        var frames = new FrameAccumulator(4);
        ReadOnlySpan<short> pcm = [1, 2, 3, 4, 5];
        Assert.True(frames.TryPush(ref pcm, out _));
        Assert.False(frames.TryPush(ref pcm, out _));
        Assert.True(frames.TryFlush(out var last));
        Assert.Equal([5, 0, 0, 0], last.ToArray());
        Assert.False(frames.TryFlush(out _));
    }

    [Fact]
    public void Push_AllocatesNothing()
    {
        var frames = new FrameAccumulator(512);
        var input = new short[320];
        Assert.Equal(0, Allocations.Of(() =>
        {
            ReadOnlySpan<short> pcm = input;
            while (frames.TryPush(ref pcm, out _))
            {
            }
        }));
    }
}
