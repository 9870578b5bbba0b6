using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>Folders for servers that run as another user than this process.</summary>
/// <remarks>
/// A server's home is <c>{data}/{name}</c>. A silo run by root gives it to the server's own user; where that user cannot enter a parent (a checkout under
/// <c>/root</c>), the home is a folder of a random name under <c>/var/lib/voicegrains</c> and <c>{data}/{name}</c> a link to it. Random, because a new data folder
/// in the old place must not find the old server's data.
/// </remarks>
internal static class ServerFolder
{
    private const string SharedRoot = "/var/lib/voicegrains";
    private const UnixFileMode OwnerFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Where the home of a server is, or is to be made.</summary>
    public static string Locate(string dataFolder, string name, string? runAs)
    {
        var link = new DirectoryInfo(Path.Combine(dataFolder, name));
        if (link.LinkTarget is { } target)
            return Path.GetFullPath(target, dataFolder);
        if (runAs is null || link.Exists || CanEveryoneEnter(dataFolder))
            return link.FullName;
        var elsewhere = Path.Combine(SharedRoot, Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal));
        Directory.CreateDirectory(SharedRoot);
        link.CreateAsSymbolicLink(elsewhere);
        return elsewhere;
    }

    /// <summary>Makes a folder that only its owner may enter, where it is missing.</summary>
    /// <exception cref="LaunchException">It cannot be made.</exception>
    public static void Make(string path, string? owner)
    {
        try
        {
            if (Directory.Exists(path))
                return;
            Directory.CreateDirectory(path, OwnerFolder);
            GiveTo(owner, path);
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            throw new LaunchException($"The folder {path} cannot be made: {denied.Message}", inner: denied);
        }
    }

    /// <summary>Makes a folder of a name nobody had, under the temporary one.</summary>
    public static string MakeTemporary(string? owner)
    {
        var path = Directory.CreateTempSubdirectory("voicegrains-").FullName;   // mode 0700
        GiveTo(owner, path);
        return path;
    }

    public static void GiveTo(string? owner, string path)
    {
        if (owner is not null && Native.Run("chown", $"{owner}:", path) is { ExitCode: not 0 } failed)
            throw new LaunchException($"{path} cannot be given to the user {owner}: {failed.Output}");
    }

    private static bool CanEveryoneEnter(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (!File.GetUnixFileMode(at.FullName).HasFlag(UnixFileMode.OtherExecute))
                return false;
        }
        return true;
    }
}
