namespace VoiceGrains.Hosting.Launch;

/// <summary>
/// Keeps a second process out of a folder. The lock is the kernel's (<c>flock</c> on the file <c>lock</c>), so it is gone with the process however that ends.
/// The file <c>pid</c> beside it names the owner, for the message only: .NET does not open a locked file, not even to read.
/// </summary>
public sealed class FolderLock : IDisposable
{
    private readonly FileStream file;

    private FolderLock(FileStream file) => this.file = file;

    /// <exception cref="LaunchException">Another process holds the folder, or the folder cannot be written.</exception>
    public static FolderLock Take(string folder)
    {
        var path = Path.Combine(folder, "lock");
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            File.WriteAllText(Path.Combine(folder, "pid"), $"{Environment.ProcessId}\n");
            return new FolderLock(file);
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new LaunchException($"The data folder {folder} cannot be written by {Environment.UserName}: {denied.Message}", inner: denied);
        }
        catch (IOException busy)
        {
            throw new LaunchException(
                $"Another VoiceGrains{ReadOwner(folder)} is using the data folder {folder}. Stop it, or give this one a folder of its own with --data.", inner: busy);
        }
    }

    public void Dispose() => file.Dispose();

    private static string ReadOwner(string folder)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Path.Combine(folder, "pid")), out var pid) ? $" (process {pid})" : "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
