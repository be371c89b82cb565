import shutil
from types import SimpleNamespace

import huggingface_hub


class FolderHub:
    """Repositories as folders, behind what this project calls of the Hub."""

    def __init__(self, root):
        self.root = root

    def __call__(self, token=None):
        return self

    def create_repo(self, repository, private, exist_ok):
        (self.root / repository).mkdir(parents=True, exist_ok=exist_ok)

    def file_exists(self, repository, name, revision):
        return (self.root / repository / name).is_file()

    def create_commit(self, repository, operations, **options):
        for operation in operations:
            path = self.root / repository / operation.path_in_repo
            if isinstance(operation, huggingface_hub.CommitOperationDelete):
                shutil.rmtree(path)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with operation.as_file() as file:
                path.write_bytes(file.read())
        return SimpleNamespace(commit_url=f"https://hub/{repository}/commit/1")

    def hf_hub_download(self, repo_id, filename, **options):
        return str(self.root / repo_id / filename)

    def snapshot_download(self, repository, **options):
        return str(self.root / repository)
