using System.Diagnostics;
using VoiceGrains.Server.Tests.Launch;

[assembly: AssemblyFixture(typeof(InitializedDataEnd))]

namespace VoiceGrains.Server.Tests.Launch;

/// <summary>A data folder after its first start, to be copied: making a database cluster takes longer than all else that these tests do, so that it is made once for all of them.</summary>
public sealed class InitializedData : IAsyncLifetime
{
    private static readonly Lazy<Task<string>> Shared = new(MakeAsync);

    private string data = "";

    /// <summary>A temporary folder with a space in its name, that others may pass through as through a usual checkout: a silo of root's runs PostgreSQL as another user.</summary>
    public static string MakeFolder()
    {
        var path = Directory.CreateTempSubdirectory("voicegrains launch ").FullName;
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        return path;
    }

    public async ValueTask InitializeAsync() => data = await Shared.Value;

    /// <summary>Copies with owners and modes. The target must not exist yet.</summary>
    public void CopyTo(string target)
    {
        using var copy = Process.Start("cp", ["-a", "--", data, target]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;      // other classes copy it, too

    /// <summary>Deletes what was made, once no test needs it any more.</summary>
    internal static void Delete()
    {
        if (Shared is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) Directory.Delete(Path.GetDirectoryName(Shared.Value.Result)!, recursive: true);
    }

    private static async Task<string> MakeAsync()
    {
        var data = Path.Combine(MakeFolder(), "data");
        await using var silo = await SiloProcess.StartReadyAsync(data);
        silo.Signal(SiloProcess.SigTerm);
        Assert.Equal(0, await silo.ExitAsync(TimeSpan.FromSeconds(60)));
        return data;
    }
}

/// <summary>Ends with the last test.</summary>
public sealed class InitializedDataEnd : IDisposable
{
    public void Dispose() => InitializedData.Delete();
}
