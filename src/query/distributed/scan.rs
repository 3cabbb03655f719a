//! How the reading of part files is shared among tasks.
//!
//! The library's own way fails on few small files: files are cut into as many groups as their sizes
//! give, which need not be as many for every task, and tasks must have as many as each other. Here the
//! tasks without a group get an empty one.

use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};
use datafusion_distributed::{
    DistributedLeafExec, ScaleUpLeafNodeEvent, ScaleUpLeafNodeEventResponse,
};
use std::sync::Arc;

/// The scan of part files as one for each task; what is no such scan is left to the library.
pub(super) fn share(
    event: ScaleUpLeafNodeEvent<'_>,
) -> Option<Result<ScaleUpLeafNodeEventResponse>> {
    let scan = event.plan.downcast_ref::<DataSourceExec>()?;
    let scan = scan.data_source().downcast_ref::<FileScanConfig>()?;
    if scan.output_partitioning.is_some() {
        return None;
    }
    let each = event.plan.output_partitioning().partition_count();
    // Part files say that they are sorted; the plan need not have made use of it.
    let cut = FileGroupPartitioner::new()
        .with_preserve_order_within_groups(event.plan.output_ordering().is_some());
    let groups = groups(cut, &scan.file_groups, each, event.task_count);
    let scans = groups.into_iter().map(|groups| {
        let mut scan = scan.clone();
        scan.file_groups = groups;
        DataSourceExec::from_data_source(scan) as Arc<dyn ExecutionPlan>
    });
    let shared = DistributedLeafExec::try_new(Arc::clone(event.plan), scans);
    Some(shared.map(|plan| ScaleUpLeafNodeEventResponse::new(Arc::new(plan))))
}

/// `each` groups of files for each task: together they are the files, and none has another's.
fn groups(
    cut: FileGroupPartitioner,
    files: &[FileGroup],
    each: usize,
    tasks: usize,
) -> Vec<Vec<FileGroup>> {
    let cut = cut
        .with_target_partitions(each * tasks)
        .with_repartition_file_min_size(0)
        .repartition_file_groups(files);
    let cut = cut.unwrap_or_else(|| files.to_vec());
    let each = each.max(cut.len().div_ceil(tasks.max(1)));
    let mut shares = vec![Vec::with_capacity(each); tasks];
    for (at, group) in cut.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(at % tasks) {
            share.push(group);
        }
    }
    for share in &mut shares {
        share.resize_with(each, FileGroup::default);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::groups;
    use datafusion::datasource::listing::PartitionedFile;
    use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner};

    #[test]
    fn every_byte_is_in_one_group_and_every_task_has_as_many_groups() {
        for (sizes, each, tasks) in [
            (vec![7], 4, 3),
            (vec![100, 1, 1, 50, 3], 2, 3),
            (vec![5, 5, 5], 1, 2),
            (vec![1; 9], 2, 5),
        ] {
            let file = |(at, size): (usize, &u64)| PartitionedFile::new(format!("{at}"), *size);
            let files: Vec<_> = sizes.iter().enumerate().map(file).collect();
            let cut = FileGroupPartitioner::new();
            let groups = groups(cut, &[FileGroup::new(files)], each, tasks);
            assert_eq!(groups.len(), tasks);
            assert!(groups.iter().all(|share| share.len() == groups[0].len()));
            let files = groups.iter().flatten().flat_map(FileGroup::iter);
            let mut seen: Vec<_> = files
                .map(|file| {
                    let range = file.range.as_ref().map(|range| (range.start, range.end));
                    let size = i64::try_from(file.object_meta.size).unwrap();
                    (file.object_meta.location.to_string(), range.unwrap_or((0, size)))
                })
                .collect();
            seen.sort();
            let mut next: Vec<_> = sizes.iter().map(|_| 0).collect();
            for (name, (start, end)) in seen {
                let at: usize = name.parse().unwrap();
                assert_eq!(next[at], start, "{name}");
                next[at] = end;
            }
            let ends: Vec<_> =
                next.into_iter().map(|end: i64| u64::try_from(end).unwrap()).collect();
            assert_eq!(ends, sizes);
        }
    }
}
