using System.Buffers;

namespace VoiceGrains.Grains.Storage;

/// <summary>Blobs as files under one folder, readable only by the server's user.</summary>
public sealed class FileBlobStore(string root) : IBlobStore
{
    private const int BufferSize = 64 * 1024;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private readonly string _root = Path.GetFullPath(root);

    public Stream OpenWrite(string name)
    {
        var path = PathOf(name);
        CreateFolder(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = BufferSize,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    public Stream? OpenRead(string name)
    {
        try
        {
            return new FileStream(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferSize, FileOptions.Asynchronous);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public bool Delete(string name)
    {
        var path = PathOf(name);
        if (!File.Exists(path)) return false;
        File.Delete(path);
        return true;
    }

    private string PathOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var parts = name.Split('/');
        if (name.Length > 1024 || !Array.TrueForAll(parts, IsSafe))
            throw new ArgumentException($"'{name}' is not a blob name.", nameof(name));
        return Path.Combine([_root, .. parts]);
    }

    private static bool IsSafe(string part)
        => part.Length is > 0 and <= 255 && part[0] != '.' && !part.AsSpan().ContainsAnyExcept(NameCharacters);

    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
