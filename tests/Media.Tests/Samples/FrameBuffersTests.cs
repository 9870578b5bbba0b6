namespace VoiceGrains.Media.Tests.Samples;

public class FrameBuffersTests
{
    [Fact]
    public void ReturnedBuffers_AreRentedAgain_WithoutAllocating()
    {
        var buffers = new FrameBuffers<short>(kept: 2);
        var (first, second) = (buffers.Rent(320), buffers.Rent(320));
        Assert.NotSame(first, second);
        buffers.Return(first);
        buffers.Return(second);
        HashSet<short[]> again = [buffers.Rent(320), buffers.Rent(100)];
        Assert.True(again.SetEquals([first, second]));
    }

    [Fact]
    public void ABufferThatIsTooShort_GivesWayToALongerOne()
    {
        var buffers = new FrameBuffers<byte>(kept: 1);
        var small = buffers.Rent(16);
        buffers.Return(small);
        var large = buffers.Rent(1_000);
        Assert.True(large.Length >= 1_000);
        buffers.Return(large);
        Assert.Same(large, buffers.Rent(16));
    }

    [Fact]
    public async Task OneBuffer_IsNeverInTwoHands()
    {
        var buffers = new FrameBuffers<int>(kept: 3);
        var workers = Enumerable.Range(1, 4).Select(id => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var buffer = buffers.Rent(8);
                buffer[0] = id;
                Thread.SpinWait(5);
                if (buffer[0] != id)
                    return false;
                buffers.Return(buffer);
            }
            return true;
        }));
        Assert.All(await Task.WhenAll(workers), Assert.True);
    }
}
