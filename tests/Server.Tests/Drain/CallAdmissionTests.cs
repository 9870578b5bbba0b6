using VoiceGrains.GrainInterfaces;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Server.Tests.Drain;

public sealed class CallAdmissionTests
{
    private readonly CallAdmission admission = new();

    [Fact]
    public void OnceClosed_RefusesWithTheFirstTime()
    {
        admission.RequireOpen();
        admission.Close(TimeSpan.FromSeconds(7));
        admission.Close(TimeSpan.FromSeconds(8));

        Assert.False(admission.IsOpen);
        var refused = Assert.Throws<PlatformException>(admission.Enter);
        Assert.Equal((ErrorCode.Draining, TimeSpan.FromSeconds(7)), (refused.Code, refused.RetryAfter));
        Assert.Throws<PlatformException>(admission.RequireOpen);
        Assert.Equal(0, admission.Calls);
    }

    [Fact]
    public void IsEmpty_WhenClosedAndTheLastCallLeft_HoweverOftenItLeaves()
    {
        var (first, second) = (admission.Enter(), admission.Enter());
        first.Dispose();
        first.Dispose();
        Assert.Equal((1, false), (admission.Calls, admission.Empty.IsCompleted));

        admission.Close(TimeSpan.FromSeconds(1));
        Assert.False(admission.Empty.IsCompleted);
        second.Dispose();
        Assert.True(admission.Empty.IsCompletedSuccessfully);
    }

    [Fact]
    public void IsNotEmpty_WhileOpen()
    {
        admission.Enter().Dispose();
        Assert.False(admission.Empty.IsCompleted);
        admission.Close(TimeSpan.FromSeconds(1));
        Assert.True(admission.Empty.IsCompletedSuccessfully);
    }
}
