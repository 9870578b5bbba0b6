namespace VoiceGrains.Grains.Storage;

/// <summary>Where blobs are kept.</summary>
public sealed class BlobStoreOptions
{
    /// <summary>Folder of the file store. Default <c>.data/blobs</c> under the working directory.</summary>
    public string Path { get; set; } = System.IO.Path.Combine(".data", "blobs");
}
