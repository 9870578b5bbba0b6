using VoiceGrains.Grains.Calls.DataConnections;

namespace VoiceGrains.Grains.Tests.DataConnections;

public class DataConnectionQueueTests
{
    private const int FrameBytes = 4;
    private readonly DataConnectionQueue _queue = new(mostMessageBytes: 10, FrameBytes, mostAudioFrames: 3);

    [Fact]
    public void Messages_KeepTheirOrder_AndGoBeforeSound()
    {
        _queue.Open();
        _queue.AddAudio([1, 1, 1, 1]);
        Assert.True(_queue.TryAddMessage([10]));
        Assert.True(_queue.TryAddMessage([11]));
        Assert.Equal(["10", "11", "s1"], TakeAll());
    }

    [Fact]
    public void OldestSound_MakesRoomForTheNewest()
    {
        for (byte i = 1; i <= 5; i++) _queue.AddAudio([i, i, i, i]);
        _queue.Open();
        Assert.Equal(["s3", "s4", "s5"], TakeAll());
        Assert.Equal(new DroppedData(0, 2 * FrameBytes), _queue.TakeDropped());
        for (byte i = 6; i <= 7; i++) _queue.AddAudio([i, i, i, i]);
        Assert.Equal(["s6", "s7"], TakeAll());
        Assert.Equal(default, _queue.TakeDropped());
    }

    [Fact]
    public void OldestMessages_MakeRoom_WhileThereIsNoConnection()
    {
        for (byte i = 1; i <= 4; i++) Assert.True(_queue.TryAddMessage([i, 0, 0, 0]));
        Assert.True(_queue.TryAddMessage(new byte[11]));      // more than can ever wait
        Assert.False(_queue.HasOverflowed);
        _queue.Open();
        Assert.Equal(["3", "4"], TakeAll());
        Assert.Equal(new DroppedData(3, 0), _queue.TakeDropped());
    }

    [Fact]
    public void AnOpenConnectionThatIsTooSlow_BeginsAnewWithoutWhatWaited()
    {
        _queue.Open();
        for (byte i = 1; i <= 2; i++) Assert.True(_queue.TryAddMessage([i, 0, 0, 0]));
        Assert.False(_queue.TryAddMessage([3, 0, 0, 0]));
        Assert.True(_queue.HasOverflowed);
        _queue.Suspend();
        Assert.True(_queue.TryAddMessage([4]));
        Assert.Empty(TakeAll());
        _queue.Open();
        Assert.False(_queue.HasOverflowed);
        Assert.Equal(["4"], TakeAll());
        Assert.Equal(new DroppedData(3, 0), _queue.TakeDropped());
    }

    [Fact]
    public void AfterItsCompletion_NothingComes_AndWhatWaitsCanBeTaken()
    {
        _queue.Open();
        _queue.TryAddMessage([1]);
        _queue.Complete();
        _queue.TryAddMessage([2]);
        _queue.AddAudio(new byte[FrameBytes]);
        Assert.Equal(["1"], TakeAll());
        Assert.Equal(new DroppedData(1, 0), _queue.TakeDropped());
    }

    [Fact]
    public async Task Waiting_EndsWithEachAddition_AndNoneIsMissed()
    {
        _queue.Open();
        await _queue.WaitAsync();
        var waiting = _queue.WaitAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        _queue.TryAddMessage([1]);
        _queue.TryAddMessage([2]);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(["1", "2"], TakeAll());
        Assert.False(_queue.WaitAsync().AsTask().IsCompleted);
    }

    [Fact]
    public void Sound_AllocatesNothing()
    {
        _queue.Open();
        var frame = new byte[FrameBytes];
        var room = new byte[FrameBytes];
        Pass();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Pass();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Pass()
        {
            _queue.AddAudio(frame);
            Assert.True(_queue.TryTake(room, out _));
        }
    }

    private List<string> TakeAll()
    {
        var taken = new List<string>();
        var audio = new byte[FrameBytes];
        while (_queue.TryTake(audio, out var message)) taken.Add(message is null ? $"s{audio[0]}" : $"{message[0]}");
        return taken;
    }
}
