using System.Security.Cryptography;

namespace VoiceGrains.Hosting.Launch;

/// <summary>The folder that holds everything a single-node silo keeps. Owned by one process at a time, from <see cref="Open"/> to dispose.</summary>
public sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerOnly | UnixFileMode.UserExecute;
    private readonly FolderLock folderLock;

    private DataFolder(string root, FolderLock folderLock) => (Root, this.folderLock) = (root, folderLock);

    /// <summary>Absolute path.</summary>
    public string Root { get; }

    /// <summary>The first account's API key, one line, mode 0600.</summary>
    public string ApiKeyFile => Path.Combine(Root, "api-key");

    /// <summary>Id of the agent that talk links of this machine lead to, one line.</summary>
    public string TalkAgentFile => Path.Combine(Root, "talk-agent");

    /// <summary>The administrator's token.</summary>
    public string AdminTokenFile => Path.Combine(Root, "admin-token");

    /// <summary>Creates the folder where it is missing and locks it.</summary>
    /// <exception cref="LaunchException">It is in use or not writable.</exception>
    public static DataFolder Open(string root)
    {
        try
        {
            // The postgres user must be able to pass through, not to look, when root runs the silo.
            var passThrough = Environment.IsPrivilegedProcess ? UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : UnixFileMode.None;
            if (!Directory.Exists(root))
            {
                Directory.CreateDirectory(root);
                File.SetUnixFileMode(root, OwnerFolder | passThrough);
            }
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            throw new LaunchException($"The data folder {root} cannot be made: {denied.Message}", inner: denied);
        }
        return new DataFolder(root, FolderLock.Take(root));
    }

    /// <summary>The key for secrets at rest: 32 random bytes, made once and kept at <c>secret-key</c>, mode 0600.</summary>
    /// <exception cref="LaunchException">The file is there but is not 32 bytes: going on with another key would lose every stored secret.</exception>
    public byte[] ReadOrCreateSecretKey()
    {
        var path = Path.Combine(Root, "secret-key");
        if (!File.Exists(path))
            WritePrivate(path, RandomNumberGenerator.GetBytes(32));
        var key = File.ReadAllBytes(path);
        return key.Length == 32 ? key : throw new LaunchException($"{path} must hold exactly 32 bytes and holds {key.Length}: restore it from a backup.");
    }

    /// <summary>What administrators of this server prove themselves with, one line at <c>admin-token</c>, mode 0600. Made once, of 32 random bytes.</summary>
    public string ReadOrCreateAdminToken()
    {
        if (ReadAdminToken() is { } known) return known;
        var token = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        WritePrivate(AdminTokenFile, System.Text.Encoding.ASCII.GetBytes(token + "\n"));
        return token;
    }

    /// <summary>Null where nobody made one.</summary>
    public string? ReadAdminToken() => File.Exists(AdminTokenFile) && File.ReadAllText(AdminTokenFile).Trim() is { Length: > 0 } token ? token : null;

    /// <summary>Keeps the first account's API key for the tools on this machine.</summary>
    public void WriteApiKey(string apiKey) => WritePrivate(ApiKeyFile, System.Text.Encoding.ASCII.GetBytes(apiKey + "\n"));

    /// <summary>Tells the tools on this machine where the server listens.</summary>
    public void WriteUrl(string url) => File.WriteAllText(Path.Combine(Root, "url"), url + "\n");

    public void Dispose() => folderLock.Dispose();

    /// <summary>Written beside and renamed, so that the file is whole or absent, and never readable by others in between.</summary>
    private static void WritePrivate(string path, ReadOnlySpan<byte> content)
    {
        var draft = path + ".new";
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(draft, path, overwrite: true);
    }
}
