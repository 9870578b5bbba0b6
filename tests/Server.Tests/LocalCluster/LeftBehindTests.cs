using System.Diagnostics;
using VoiceGrains.Silo.LocalCluster;

namespace VoiceGrains.Server.Tests.LocalCluster;

public sealed class LeftBehindTests
{
    [Fact]
    public async Task OnlyProcessesOfThatVeryDataFolder_AreEnded()
    {
        var data = $"/nowhere/{Guid.NewGuid():N}";
        using var own = Start(data);
        using var other = Start(data + "-2");
        try
        {
            await LeftBehind.EndAsync(data, TimeProvider.System, TestContext.Current.CancellationToken);

            Assert.True(own.WaitForExit(TimeSpan.FromSeconds(10)));
            Assert.False(other.HasExited);
        }
        finally
        {
            own.Kill();
            other.Kill();
        }
    }

    /// <summary>Returns when the program is the one that sleeps: only then is the environment its own.</summary>
    private static Process Start(string data)
    {
        var mark = LeftBehind.Mark(data);
        var startInfo = new ProcessStartInfo("/bin/sh", ["-c", "echo started; read wait"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        startInfo.Environment[mark.Key] = mark.Value;
        var process = Process.Start(startInfo)!;
        Assert.Equal("started", process.StandardOutput.ReadLine());
        return process;
    }
}
