using System.Diagnostics;

namespace VoiceGrains.Server.Tests.Launch;

/// <summary>A data folder after its first start, to be copied: making a database cluster takes longer than all else that these tests do.</summary>
public sealed class InitializedData : IAsyncLifetime
{
    private readonly string folder = MakeFolder();

    private string Data => Path.Combine(folder, "data");

    /// <summary>A temporary folder with a space in its name, that others may pass through as through a usual checkout: a silo of root's runs PostgreSQL as another user.</summary>
    public static string MakeFolder()
    {
        var path = Directory.CreateTempSubdirectory("voicegrains launch ").FullName;
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        return path;
    }

    public async ValueTask InitializeAsync()
    {
        await using var silo = await SiloProcess.StartReadyAsync(Data);
        silo.Signal(SiloProcess.SigTerm);
        Assert.Equal(0, await silo.ExitAsync(TimeSpan.FromSeconds(60)));
    }

    /// <summary>Copies with owners and modes. The target must not exist yet.</summary>
    public void CopyTo(string target)
    {
        using var copy = Process.Start("cp", ["-a", "--", Data, target]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
