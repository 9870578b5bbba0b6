using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Tests.Storage;

public sealed class FileBlobStoreTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), "vg-blobs-" + Guid.NewGuid().ToString("N"));
    private readonly FileBlobStore _store;

    public FileBlobStoreTests() => _store = new FileBlobStore(_root);

    public void Dispose()
    {
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void WhatWasFlushed_IsReadWhileTheWriterIsOpen()
    {
        using var writer = _store.OpenWrite("recordings/a.wav");
        writer.Write([1, 2, 3, 4]);
        writer.Flush();

        using var reader = _store.OpenRead("recordings/a.wav")!;
        Assert.Equal(4, reader.Length);
        reader.Seek(2, SeekOrigin.Begin);
        Assert.Equal(3, reader.ReadByte());
    }

    [Fact]
    public void OpenWrite_ReplacesAndAllowsCompletingAHeader()
    {
        using (var first = _store.OpenWrite("a")) first.Write(new byte[100]);
        using (var second = _store.OpenWrite("a"))
        {
            second.Write([0, 0, 7]);
            second.Seek(0, SeekOrigin.Begin);
            second.WriteByte(9);
        }
        using var reader = _store.OpenRead("a")!;
        var bytes = new byte[3];
        reader.ReadExactly(bytes);
        Assert.Equal([9, 0, 7], bytes);
        Assert.Equal(3, reader.Length);
    }

    [Fact]
    public void Delete_RemovesOnce_AndMissingBlobsReadAsNull()
    {
        _store.OpenWrite("x/y").Dispose();
        Assert.True(_store.Delete("x/y"));
        Assert.False(_store.Delete("x/y"));
        Assert.Null(_store.OpenRead("x/y"));
        Assert.Null(_store.OpenRead("never/was"));
    }

    [Fact]
    public void Files_AreForTheOwnerAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix file modes");
        _store.OpenWrite("r/a").Dispose();
#pragma warning disable CA1416 // skipped on Windows above
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_root, "r", "a")));
#pragma warning restore CA1416
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../up")]
    [InlineData("a/../../up")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData(".hidden")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    [InlineData("ä")]
    public void UnsafeNames_AreRefused(string name)
    {
        Assert.Throws<ArgumentException>(() => _store.OpenWrite(name));
        Assert.Throws<ArgumentException>(() => _store.OpenRead(name));
        Assert.Throws<ArgumentException>(() => _store.Delete(name));
    }
}
